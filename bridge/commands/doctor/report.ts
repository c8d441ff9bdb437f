/** What `doctor` found: lines and a table for a person, and the same as JSON for a program. */
import type { EngineMeasurement } from '../../../web/engine/measure.ts';

/** `well`; `note`: works, and could be better; `bad`: something that was asked for does not work. */
export type Health = 'well' | 'note' | 'bad';

export interface Finding {
  readonly part: 'machine' | 'broker' | 'browser';
  readonly what: string;
  readonly health: Health;
  /** What was found, in a few words. */
  readonly found: string;
  /** What to do about it; null where there is nothing to do. */
  readonly advice: string | null;
}

export interface EngineRow extends EngineMeasurement {
  readonly health: Health;
  readonly advice: string | null;
}

export interface Report {
  readonly software: string;
  readonly bins: number;
  readonly findings: readonly Finding[];
  readonly engines: readonly EngineRow[];
}

const MARKS: Readonly<Record<Health, string>> = { well: 'ok ', note: 'see', bad: 'BAD' };

const PARTS: readonly (readonly [Finding['part'], string])[] = [
  ['machine', 'Machine'],
  ['broker', 'Kafka'],
  ['browser', 'Browser'],
];

export const isWell = ({ findings, engines }: Report): boolean =>
  [...findings, ...engines].every(({ health }) => health !== 'bad');

/** Numbers to three digits, which is what a fraction of a second on a busy machine is good for. */
const number = (value: number | null): string =>
  value === null ? '–' : value >= 100 ? value.toFixed(0) : value.toPrecision(3);

function findingLines(findings: readonly Finding[]): string[] {
  const width = Math.max(0, ...findings.map(({ what }) => what.length));
  return findings.flatMap(({ health, what, found, advice }) => [
    `  ${MARKS[health]}  ${what.padEnd(width)}  ${found}`,
    ...(advice === null ? [] : [`       ${' '.repeat(width)}→ ${advice}`]),
  ]);
}

/** Rows of equal columns; the first column to the left, all others to the right. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, k) => Math.max(...rows.map((row) => (row[k] ?? '').length)));
  return rows.map((row) =>
    row.map((text, k) => (k === 0 ? text.padEnd(widths[k] ?? 0) : text.padStart(widths[k] ?? 0))).join('  '),
  );
}

function engineLines(engines: readonly EngineRow[]): string[] {
  const head = ['engine', 'ms per pair', 'MB/s', 'GPU ms per pair', 'self-test'];
  const rows = engines.map((it) => [
    it.name,
    number(it.msPerFile),
    number(it.mbPerSecond),
    number(it.gpuMsPerFile),
    it.trouble === null ? 'passed' : it.isSoftware ? 'not asked' : 'none',
  ]);
  const [first = '', ...others] = columns([head, ...rows]);
  return [
    `       ${first}`,
    ...others.flatMap((line, k) => {
      const { health, trouble, advice } = engines[k] as EngineRow;
      const words = [trouble, advice].filter((text) => text !== null).join('; ');
      return [`  ${MARKS[health]}  ${line}`, ...(words === '' ? [] : [`         → ${words}`])];
    }),
  ];
}

/** Text for a terminal, without the last line feed. */
export function reportText(report: Report): string {
  const sections = PARTS.flatMap(([part, title]) => {
    const findings = report.findings.filter((finding) => finding.part === part);
    return findings.length === 0 ? [] : [[title, ...findingLines(findings)]];
  });
  const [machine = [], ...others] = sections;
  const engines = [`Engines, ${report.bins} bins, a file pair being 67 MB`, ...engineLines(report.engines)];
  return [[report.software], machine, engines, ...others].map((lines) => lines.join('\n')).join('\n\n');
}

export const reportJson = (report: Report): string =>
  JSON.stringify({ ...report, well: isWell(report) }, undefined, 2);
