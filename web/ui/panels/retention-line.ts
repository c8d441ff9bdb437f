/** In words: how long the input keeps what is not yet processed. */
import type { RetentionState } from '../../../bridge/protocol/state.ts';
import { span } from '../format/quantities.ts';

const HOUR_SECONDS = 3600;

export function retentionLine({ hoursLeft, partitions }: RetentionState): string {
  if (hoursLeft === null) return 'what is not processed is kept without limit';
  const first = partitions.filter((each) => each.hoursLeft === hoursLeft).map((each) => each.partition);
  const where = first.length === partitions.length ? '' : ` (partition ${first.join(', ')})`;
  if (hoursLeft === 0) return `what is not processed may be deleted at any time${where}`;
  return `what is not processed is kept for ${span(hoursLeft * HOUR_SECONDS)} more${where}`;
}
