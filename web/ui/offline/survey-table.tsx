/**
 * The table of what was found. Rows have one height and only those in view are in the page, so that 20 000 of them
 * cost as much as 40.
 */
import { type ReadonlySignal, useComputed, useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { grouped } from '../format/numbers.ts';
import { counted, utc } from '../format/quantities.ts';
import type { Intake } from './intake.ts';
import { arranged, type Line, type Order, PROBLEM_TEXT, type Shown, type SortKey, stateOf } from './lines.ts';
import { sizeText } from './size-text.ts';

/** Height of a row; the style sheet has the same. */
const ROW_REM = 1.75;
/** Rows above and below those in view, so that scrolling shows no gap. */
const SPARE = 12;

const COLUMNS: readonly { readonly key: SortKey; readonly title: string }[] = [
  { key: 'path', title: 'File' },
  { key: 'state', title: 'What it is' },
  { key: 'size', title: 'Size' },
  { key: 'time', title: 'Recorded' },
];

const FILTERS: readonly (readonly [Shown, string])[] = [
  ['all', 'All'],
  ['ready', 'Recordings'],
  ['problems', 'Problems'],
];

export function SurveyTable({ intake }: { intake: Intake }) {
  const shown = useSignal<Shown>('all');
  const order = useSignal<Order | null>(null);
  const lines = useComputed(() => arranged(intake.lines.value, shown.value, order.value));
  const sort = (key: SortKey): void => {
    const now = order.value;
    order.value = now?.key !== key ? { key, isDown: false } : now.isDown ? null : { key, isDown: true };
  };
  return (
    <div class="survey-table">
      <div class="filters" role="group" aria-label="Lines to show">
        {FILTERS.map(([name, title]) => (
          <button
            key={name}
            type="button"
            class="plain"
            aria-pressed={shown.value === name}
            onClick={() => {
              shown.value = name;
            }}
          >
            {title}
          </button>
        ))}
        <span class="filter-count">{counted(lines.value.length, 'line')}</span>
      </div>
      <Rows intake={intake} lines={lines} order={order.value} sort={sort} />
    </div>
  );
}

/** Lines in view of a box that scrolls. */
function useView(count: number) {
  const box = useRef<HTMLDivElement>(null);
  const view = useSignal({ first: 0, last: 60, rowPx: 24 });
  const look = (): void => {
    const element = box.current;
    if (element === null) return;
    const rowPx = ROW_REM * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    const first = Math.max(0, Math.floor(element.scrollTop / rowPx) - SPARE);
    const last = Math.ceil((element.scrollTop + element.clientHeight) / rowPx) + SPARE;
    const before = view.peek();
    if (before.first !== first || before.last !== last || before.rowPx !== rowPx)
      view.value = { first, last, rowPx };
  };
  useLayoutEffect(() => {
    look();
    const observer = new ResizeObserver(look);
    if (box.current !== null) observer.observe(box.current);
    return () => observer.disconnect();
  }, [count]);
  return { box, view, look };
}

interface RowsProps {
  readonly intake: Intake;
  readonly lines: ReadonlySignal<readonly Line[]>;
  readonly order: Order | null;
  readonly sort: (key: SortKey) => void;
}

function Rows({ intake, lines, order, sort }: RowsProps) {
  const all = lines.value;
  const { box, view, look } = useView(all.length);
  const { rowPx } = view.value;
  const first = Math.min(view.value.first, Math.max(0, all.length - 1));
  const some = all.slice(first, view.value.last);
  const below = Math.max(0, all.length - first - some.length);
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a box that scrolls has to be reachable
    <div
      ref={box}
      class="rows"
      role="region"
      aria-label="Files, in a box that scrolls"
      tabIndex={0}
      onScroll={look}
    >
      <table aria-rowcount={all.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col">
              <ChooseAll intake={intake} lines={all} />
            </th>
            {COLUMNS.map(({ key, title }) => (
              <th key={key} scope="col" class={key} aria-sort={sortOf(order, key)}>
                <button type="button" onClick={() => sort(key)}>
                  {title}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr class="spacer" aria-hidden="true" style={{ height: `${first * rowPx}px` }} />
          {some.map((line, k) => (
            <Row key={`${line.kind} ${line.path}`} intake={intake} line={line} index={first + k + 2} />
          ))}
          <tr class="spacer" aria-hidden="true" style={{ height: `${below * rowPx}px` }} />
        </tbody>
      </table>
    </div>
  );
}

const sortOf = (order: Order | null, key: SortKey): 'none' | 'ascending' | 'descending' =>
  order?.key !== key ? 'none' : order.isDown ? 'descending' : 'ascending';

function ChooseAll({ intake, lines }: { intake: Intake; lines: readonly Line[] }) {
  const leftOut = intake.leftOut.value;
  const paths = lines.filter(isChoosable).map(({ path }) => path);
  const out = paths.filter((path) => leftOut.has(path)).length;
  return (
    <input
      type="checkbox"
      aria-label="Measure all of these"
      checked={out === 0 && paths.length > 0}
      disabled={paths.length === 0}
      ref={(element) => {
        if (element !== null) element.indeterminate = out > 0 && out < paths.length;
      }}
      onChange={() => intake.choose(paths, out > 0)}
    />
  );
}

const isChoosable = (line: Line): boolean => line.kind === 'row' && line.row.status === 'new';

function Row({ intake, line, index }: { intake: Intake; line: Line; index: number }) {
  const { path } = line;
  return (
    <tr aria-rowindex={index} class={line.kind}>
      <td>
        {isChoosable(line) && (
          <input
            type="checkbox"
            aria-label={`Measure ${path}`}
            checked={!intake.leftOut.value.has(path)}
            onChange={({ currentTarget }) => intake.choose([path], currentTarget.checked)}
          />
        )}
      </td>
      <td class="path" title={path}>
        {path}
      </td>
      <Facts line={line} />
    </tr>
  );
}

function Facts({ line }: { line: Line }) {
  if (line.kind === 'problem') {
    const { code, reason } = line.problem;
    const { name, advice } = PROBLEM_TEXT[code];
    return (
      <td colSpan={3} class="reason" title={`${reason}. ${advice}`}>
        <b>{name}</b>: {reason}
      </td>
    );
  }
  const { bytes, slices, remainderSamples, startMs } = line.row;
  const rest = remainderSamples === 0 ? '' : `, ${grouped(remainderSamples)} samples left over`;
  return (
    <>
      <td class="state" title={`${counted(slices, 'slice')}${rest}`}>
        {stateOf(line)}
        <span class="slices">
          {' '}
          {counted(slices, 'slice')}
          {rest}
        </span>
      </td>
      <td class="size">{sizeText(bytes)}</td>
      <td class="time">{startMs === null ? '' : utc(startMs)}</td>
    </>
  );
}
