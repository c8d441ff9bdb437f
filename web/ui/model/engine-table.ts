/**
 * The table of this browser's engines: measured when its panel is opened, and again when a person asks.
 */
import { effect, type Signal, signal } from '@preact/signals';
import type { EngineMeasurement } from '../../worker/engine-table.ts';

export interface EngineTable {
  readonly rows: Signal<readonly EngineMeasurement[]>;
  /** An engine is being measured. */
  readonly isBusy: Signal<boolean>;
  /** Why there is no more than these rows. */
  readonly trouble: Signal<string | null>;
  /** Counts the requests; each starts a measurement unless one is under way. */
  readonly wanted: Signal<number>;
}

export const createEngineTable = (): EngineTable => ({
  rows: signal([]),
  isBusy: signal(false),
  trouble: signal(null),
  wanted: signal(0),
});

/** @param measure the n-th engine's figures, null behind the last one */
export function followEngineTable(
  table: EngineTable,
  measure: (index: number) => Promise<EngineMeasurement | null>,
): void {
  effect(() => {
    if (table.wanted.value > 0 && !table.isBusy.peek()) void fill(table, measure);
  });
}

async function fill(
  { rows, isBusy, trouble }: EngineTable,
  measure: (index: number) => Promise<EngineMeasurement | null>,
): Promise<void> {
  isBusy.value = true;
  trouble.value = null;
  rows.value = [];
  try {
    for (let row = await measure(0); row !== null; row = await measure(rows.value.length))
      rows.value = [...rows.value, row];
  } catch (error) {
    trouble.value = error instanceof Error ? error.message : String(error);
  }
  isBusy.value = false;
}
