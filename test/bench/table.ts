/** Tables of the benchmark: text, right-aligned numbers. */

export type Cell = string | number;

/** Three significant digits are what a run on a shared machine is good for. */
const cellText = (cell: Cell): string => {
  if (typeof cell === 'string') return cell;
  if (!Number.isFinite(cell)) return '–';
  return Math.abs(cell) >= 100 ? cell.toFixed(0) : cell.toPrecision(3);
};

export function printTable(title: string, head: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const cells = [head, ...rows.map((row) => row.map(cellText))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row.map((text, k) => (k === 0 ? text.padEnd(widths[k] ?? 0) : text.padStart(widths[k] ?? 0))).join('  ');
  console.log(`\n${title}`);
  const [first = [], ...others] = cells;
  console.log(`  ${line(first)}`);
  console.log(`  ${widths.map((width) => '─'.repeat(width)).join('  ')}`);
  for (const row of others) console.log(`  ${line(row)}`);
}

export interface Spread {
  readonly mean: number;
  /** Sample standard deviation. */
  readonly std: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, std: Math.sqrt(squares / (values.length - 1)) };
}

export const spreadText = ({ mean, std }: Spread): string => `${mean.toFixed(3)} ± ${std.toFixed(3)}`;

/** Value below which this share lies: the nearest-rank definition, so that p99 of a few is the largest. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
