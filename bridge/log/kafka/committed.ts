/**
 * Reads on in the results: what has been committed in each partition since the last time, a few megabytes at once.
 */
import type { CommittedResults, InputRecord, ResultCursor, ResultRecord } from '../port.ts';
import type { PartitionRange, TopicReader } from './reader.ts';

/** Of all partitions together: a dozen results of 340 KB, which is what one fetch brings. */
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * @param cursor null, or without a partition: that one begins at the first record of `sinceMs` or later
 * @throws {LogError} `unreachable`, `missing-topic`, `unauthorized`
 */
export async function committedBehind(
  reader: TopicReader,
  cursor: ResultCursor | null,
  sinceMs: number,
): Promise<CommittedResults> {
  const ranges = await reader.ranges();
  const unknown = [...ranges].some(([partition, range]) => !isWithin(cursor?.[partition], range));
  const begins = unknown ? await reader.resolve({ timeMs: sinceMs }) : new Map<number, number>();
  const results: ResultRecord[] = [];
  const next: Record<string, number> = {};
  for (const [partition, range] of ranges) {
    const known = cursor?.[partition];
    const from = known !== undefined && isWithin(known, range) ? known : begins.get(partition);
    next[partition] = await readOn(reader, partition, from ?? range.lowOffset, range.endOffset, results);
  }
  return { results, cursor: next };
}

/** Not so where the topic was made anew; what retention has deleted is left out. */
const isWithin = (offset: number | undefined, { endOffset }: PartitionRange): boolean =>
  offset !== undefined && offset <= endOffset;

/** @returns where to read on */
async function readOn(
  reader: TopicReader,
  partition: number,
  from: number,
  end: number,
  results: ResultRecord[],
): Promise<number> {
  let bytes = results.reduce((sum, { value }) => sum + value.length, 0);
  if (bytes >= MOST_BYTES) return from;
  for await (const record of reader.scan(partition, from, end)) {
    const result = toResult(record);
    if (result === null) continue;
    results.push(result);
    bytes += result.value.length;
    if (bytes >= MOST_BYTES) return record.offset + 1;
  }
  return Math.max(from, end);
}

/** Null for a record of somebody else. */
function toResult({ key, value, headers }: InputRecord): ResultRecord | null {
  const [, run, file] = /^(.+)\/(\d{1,10})$/.exec(key?.toString() ?? '') ?? [];
  if (run === undefined || value === null) return null;
  return { run, file: Number(file), value, headers };
}
