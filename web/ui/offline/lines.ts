/** Lines of the table before the start: rows that can be measured, and problems, in one order. */
import type { FileProblemCode } from '../../../bridge/protocol/pairs.ts';
import type { PlainProblem, Survey, SurveyRow } from '../../offline/browser/types.ts';

export type Line =
  | { readonly kind: 'row'; readonly path: string; readonly row: SurveyRow }
  | { readonly kind: 'problem'; readonly path: string; readonly problem: PlainProblem };

export type SortKey = 'path' | 'state' | 'size' | 'time';
export type Shown = 'all' | 'ready' | 'problems';

interface ProblemText {
  /** For one file. */
  readonly name: string;
  readonly advice: string;
}

/** What each problem is called, and what a person can do. */
export const PROBLEM_TEXT: Readonly<Record<FileProblemCode, ProblemText>> = {
  orphan: { name: 'orphan', advice: 'Find the other half and drop it, too; a spectrum needs I and Q.' },
  misnamed: { name: 'misnamed', advice: 'Rename it so that its number has five digits.' },
  empty: { name: 'empty', advice: 'Copy it again from where it was recorded.' },
  'mid-sample': { name: 'truncated', advice: 'The copy was cut off: copy it again, both halves.' },
  unequal: { name: 'truncated', advice: 'The copy was cut off: copy it again, both halves.' },
  'too-short': { name: 'too short', advice: 'Choose fewer bins, or leave it out.' },
  growing: { name: 'growing', advice: 'Wait until it is written, then drop it again.' },
  unreadable: { name: 'unreadable', advice: 'Look at its permissions and at the disk, then drop it again.' },
  changed: { name: 'changed', advice: 'Drop it again when nothing writes to it any more.' },
  late: { name: 'late', advice: 'Drop it again.' },
  duplicate: { name: 'copy', advice: 'Nothing to do: the same samples are used from another folder.' },
  'non-finite': { name: 'NaN or Inf', advice: 'Samples were damaged: copy it again, or leave it out.' },
  checksum: { name: 'damaged', advice: 'Copy it again: it is not the file that its metadata describe.' },
  unsupported: { name: 'not understood', advice: 'What the reason names has to be changed in the file.' },
  'other-geometry': { name: 'other axis', advice: 'Analyse it by itself, in another tab.' },
};

export const nameOfKind: Readonly<Record<SurveyRow['kind'], string>> = {
  pair: 'pair',
  interleaved: 'interleaved',
  saved: 'saved result',
};

/** What the table says of a line in one word. */
export function stateOf(line: Line): string {
  if (line.kind === 'problem') return PROBLEM_TEXT[line.problem.code].name;
  const { status, kind, sharesNumber } = line.row;
  if (status === 'done') return 'measured';
  if (status === 'queued') return 'waiting';
  return sharesNumber ? 'duplicate number' : nameOfKind[kind];
}

/** Problems first, since they are what a person has to look at. */
export const linesOf = ({ rows, problems }: Survey): readonly Line[] => [
  ...problems.map((problem): Line => ({ kind: 'problem', path: problem.path, problem })),
  ...rows.map((row): Line => ({ kind: 'row', path: row.path, row })),
];

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const sizeOf = (line: Line): number => (line.kind === 'row' ? line.row.bytes : -1);
const timeOf = (line: Line): number => (line.kind === 'row' ? (line.row.startMs ?? -Infinity) : -Infinity);

const ORDERS: Readonly<Record<SortKey, (a: Line, b: Line) => number>> = {
  path: (a, b) => compare(a.path, b.path),
  state: (a, b) => compare(stateOf(a), stateOf(b)) || compare(a.path, b.path),
  size: (a, b) => sizeOf(a) - sizeOf(b),
  time: (a, b) => timeOf(a) - timeOf(b),
};

export interface Order {
  readonly key: SortKey;
  readonly isDown: boolean;
}

/** @param order null: as they came, which is the order of the measurement */
export function arranged(lines: readonly Line[], shown: Shown, order: Order | null): readonly Line[] {
  const some = lines.filter(({ kind }) => shown === 'all' || (kind === 'row') === (shown === 'ready'));
  if (order === null) return some;
  const { key, isDown } = order;
  return some.toSorted((a, b) => (isDown ? ORDERS[key](b, a) : ORDERS[key](a, b)));
}

/** How many there are of each problem, most first. */
export function problemCounts(problems: readonly PlainProblem[]) {
  const counts = new Map<string, { readonly advice: string; count: number }>();
  for (const { code } of problems) {
    const { name, advice } = PROBLEM_TEXT[code];
    const entry = counts.get(name) ?? { advice, count: 0 };
    entry.count += 1;
    counts.set(name, entry);
  }
  return [...counts].map(([name, entry]) => ({ name, ...entry })).toSorted((a, b) => b.count - a.count);
}
