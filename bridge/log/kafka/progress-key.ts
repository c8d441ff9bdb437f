/** Keys of the progress topic: `progress`, of all partitions of the input, or `progress-7`, of one. */

const PLAIN = 'progress';

export const progressKey = (partition: number | null): string =>
  partition === null ? PLAIN : `${PLAIN}-${partition}`;

export const isProgressKey = (key: Buffer | null): boolean =>
  /^progress(-\d{1,9})?$/.test(key?.toString() ?? '');

/** Null for progress of all partitions. */
export function partitionOf(key: string): number | null {
  return key === PLAIN ? null : Number(key.slice(PLAIN.length + 1));
}
