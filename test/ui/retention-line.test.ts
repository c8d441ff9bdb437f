import { expect, test } from 'vitest';
import { THIN } from '../../web/ui/format/numbers.ts';
import { retentionLine } from '../../web/ui/panels/retention-line.ts';

const at = (...hours: (number | null)[]) => ({
  hoursLeft: hours.reduce((a, b) => (a === null || (b !== null && b < a) ? b : a), null),
  partitions: hours.map((hoursLeft, partition) => ({ partition, hoursLeft })),
});

test('how long the input keeps what waits, and which partition is the first', () => {
  expect(retentionLine(at(5.25, 5.25))).toBe(`what is not processed is kept for 5.25${THIN}h more`);
  expect(retentionLine(at(null, 0.5))).toBe(
    `what is not processed is kept for 30.0${THIN}min more (partition 1)`,
  );
  expect(retentionLine(at(0, 3))).toBe('what is not processed may be deleted at any time (partition 0)');
  expect(retentionLine(at(null, null))).toBe('what is not processed is kept without limit');
});
