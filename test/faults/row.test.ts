/** The final check finds what is wrong: without a fault nothing, and a lie about what was sent at once. */
import { expect, inject, test } from 'vitest';
import { produceWords } from '../e2e/chain.ts';
import { succeed } from '../e2e/haloscope.ts';
import { keptFolder } from '../e2e/kept.ts';
import { record, recordMany, writePairs } from '../e2e/samples.ts';
import { newRow } from './row.ts';

test('the final check', async () => {
  const recordings = recordMany(1, 3, 100);
  const folder = await keptFolder();
  await writePairs(folder, recordings);
  const row = await newRow(inject('kafka')['4.4.0']);
  const bridge = await row.bridge();
  await succeed(...produceWords(row.chain, folder, 'night'), '--pace', 'max');

  expect(await row.problems(bridge, { complete: { night: recordings } })).toEqual([]);
  const [first, second] = recordings;
  if (first === undefined || second === undefined) throw new Error('expected recordings');
  const oneTooMany = await row.problems(bridge, { complete: { night: [first, second] } });
  expect(oneTooMany.join('\n')).toMatch(/published: night\/1 night\/2 night\/3; expected: night\/1 night\/2/);
  const other = { ...record(9, 100), file: 3 };
  const otherContent = await row.problems(bridge, { complete: { night: [first, second, other] } });
  expect(otherContent.join('\n')).toMatch(
    /file 3: mean off by .*\n.*\napi\/runs\/night\/spectrum.json: power/,
  );
});
