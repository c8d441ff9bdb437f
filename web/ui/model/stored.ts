/**
 * Scrolling back: one stored row of the run in the place of the live spectra, chosen by its time. The view stands
 * still meanwhile; LIVE returns.
 */
import { batch, computed, effect, type ReadonlySignal } from '@preact/signals';
import type { Averaged } from '../../analysis/display.ts';
import type { HistoryRow } from '../../analysis/history.ts';
import { middleMs, neighbour, refined, rowAt, spread } from '../../analysis/stored-rows.ts';
import { type Model, pause } from './model.ts';
import { withoutSpread } from './no-spread.ts';

export interface StoredSpectrum extends Averaged {
  readonly row: HistoryRow;
  /** Bins that a column of the row stands for. */
  readonly binsPerColumn: number;
}

/** Rows of more files are shown as they are: finer ones would be more than the bridge answers with at once. */
const MOST_FILES = 1024;

const MADE = new WeakMap<Model, ReadonlySignal<StoredSpectrum | null>>();

/** What is shown instead of the live spectra; null while these are shown. The same signal for all who ask. */
export function storedOf(model: Model): ReadonlySignal<StoredSpectrum | null> {
  let made = MADE.get(model);
  if (made === undefined) {
    made = computed(() => stored(model));
    MADE.set(model, made);
  }
  return made;
}

function stored(model: Model): StoredSpectrum | null {
  const ms = model.view.at.value;
  if (ms === null || model.pausedMs.value === null) return null;
  const row = rowAt(model.rows.value, ms);
  const { bins } = model.geometry.value;
  if (row === null) return null;
  return {
    row,
    binsPerColumn: bins / row.mean.length,
    slices: row.slices,
    mean: spread(row.mean, bins),
    std: withoutSpread(bins),
    ...(row.largest === undefined ? {} : { largest: spread(row.largest, bins) }),
  };
}

/** Not in a kiosk, where nobody would bring it back. */
export function showRow(model: Model, row: HistoryRow): void {
  if (model.isKiosk) return;
  batch(() => {
    pause(model);
    model.view.at.value = middleMs(row);
  });
}

/** The row before or behind the one shown; from the live view, its newest. */
export function stepRow(model: Model, step: -1 | 1): void {
  const rows = model.rows.peek();
  const shown = storedOf(model).peek();
  const next = shown === null ? rows.at(-1) : neighbour(rows, shown.row, step);
  if (next !== undefined && (shown !== null || step === -1)) showRow(model, next);
}

/** Goes to the time in the address as soon as it is among the rows, and asks for finer rows where one is coarse. */
export function followStored(model: Model): void {
  effect(() => {
    const ms = model.view.at.value;
    const [oldest] = model.rows.value;
    if (ms !== null && oldest !== undefined && oldest.startMs <= ms) pause(model);
  });
  const asked = new WeakSet<HistoryRow>();
  effect(() => {
    const row = storedOf(model).value?.row;
    if (row === undefined || row.files === 1 || row.files > MOST_FILES || asked.has(row)) return;
    asked.add(row);
    void refine(model, row);
  });
}

async function refine(model: Model, row: HistoryRow): Promise<void> {
  try {
    const finer = await model.requests.rows(row);
    if (model.pausedMs.peek() !== null) model.rows.value = refined(model.rows.peek(), row, finer);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    model.message.value = `Files ${row.firstFile} to ${row.lastFile} are shown as one: ${reason}.`;
  }
}
