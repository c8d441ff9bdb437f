/** The history as it follows the results of a real store, over restarts, and at every level of detail. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { HistoryKeeper } from '../../bridge/history/history.ts';
import { HistoryStore } from '../../bridge/history/history-store.ts';
import { LmdbOutput } from '../../bridge/log/embedded/output.ts';
import { binWidthHz } from '../../bridge/protocol/geometry.ts';
import { decodeHistory, type History, type HistoryQuery } from '../../bridge/protocol/history.ts';
import { emptyMoments } from '../../bridge/protocol/moments.ts';
import { encodeResult, encodeResultHeaders } from '../../bridge/protocol/result.ts';
import { silent } from '../server/harness.ts';

const GEOMETRY = { bins: 256, sampleRateHz: 2e6, loHz: 10.353e9 };
const ALL: HistoryQuery = { from: 0, to: 0xffff_ffff, rows: 512 };
const SLICES = 100;
const HOUR_MS = 3_600_000;

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'haloscope-history-'));
  onTestFinished(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

/** A result whose every bin holds the published power `level`. */
function result(file: number, level: number, endUtcMs = Date.now()) {
  const moments = emptyMoments(GEOMETRY.bins);
  moments.count = SLICES;
  moments.mean.fill(level * GEOMETRY.bins * GEOMETRY.sampleRateHz * Math.SQRT2);
  const headers = encodeResultHeaders({
    run: 'night',
    file,
    slices: SLICES,
    geometry: GEOMETRY,
    startUtc: new Date(endUtcMs - 4200).toISOString(),
    endUtc: new Date(endUtcMs).toISOString(),
    software: 'test',
    engine: 'wasm',
  });
  return { run: 'night', file, value: Buffer.from(encodeResult(moments, GEOMETRY, file)), headers };
}

function keep(output: LmdbOutput, directory: string): HistoryKeeper {
  const keeper = new HistoryKeeper({ output, directory, bins: GEOMETRY.bins, logger: silent });
  keeper.start();
  onTestFinished(() => keeper.stop());
  return keeper;
}

const ask = (keeper: HistoryKeeper, query: HistoryQuery = ALL): History | null => {
  const bytes = keeper.query('night', query);
  return bytes && decodeHistory(bytes);
};

const files = (history: History | null): number[] => history?.rows.map(({ firstFile }) => firstFile) ?? [];

test('follows what is published, and goes on after a restart where it was', async () => {
  const path = await folder();
  const output = new LmdbOutput({ directory: join(path, 'store') });
  await output.acquire();
  onTestFinished(() => output.release());
  await output.publish([result(1, 5e-9), result(2, 6e-9)], Buffer.from('1'));
  const first = keep(output, join(path, 'history'));
  await vi.waitFor(() => expect(files(ask(first))).toEqual([1, 2]), 10_000);
  const [row] = ask(first)?.rows ?? [];
  expect(row).toMatchObject({ files: 1, slices: SLICES });
  expect(row?.power).toBeCloseTo(5e-9 * GEOMETRY.bins * binWidthHz(GEOMETRY), 12);
  expect(row?.mean[17]).toBeCloseTo(5e-9, 12);

  await first.stop();
  await output.publish([result(4, 7e-9)], Buffer.from('2'));
  const second = keep(output, join(path, 'history'));
  await vi.waitFor(() => expect(files(ask(second))).toEqual([1, 2, 4]), 10_000);
  expect(second.query('day', ALL)).toBeNull();
});

test('what is not there yet is there soon, and what is no result of ours is passed over', async () => {
  const path = await folder();
  const output = new LmdbOutput({ directory: join(path, 'store') });
  const keeper = keep(output, join(path, 'history'));
  await output.acquire();
  onTestFinished(() => output.release());
  const strange = { ...result(1, 5e-9), value: Buffer.from('[1, 2]') };
  await output.publish([strange, { ...result(2, 5e-9), headers: {} }, result(3, 5e-9)], Buffer.from('1'));
  await vi.waitFor(() => expect(files(ask(keeper))).toEqual([3]), { timeout: 15_000, interval: 100 });
});

test('a history that is lost is filled again from the last day', async () => {
  const path = await folder();
  const output = new LmdbOutput({ directory: join(path, 'store') });
  await output.acquire();
  onTestFinished(() => output.release());
  const old = Date.now() - 30 * HOUR_MS;
  await output.publish([result(1, 5e-9, old), result(2, 5e-9, Date.now() - HOUR_MS)], Buffer.from('1'));
  const keeper = keep(output, join(path, 'history'));
  await vi.waitFor(() => expect(files(ask(keeper))).toEqual([2]), 10_000);
});

/** A store with rows of so many files, each of power `file`. */
async function filled(count: number, rowsPerLevel?: number): Promise<HistoryStore> {
  const store = new HistoryStore(await folder(), GEOMETRY.bins, rowsPerLevel);
  onTestFinished(() => store.close());
  const values = new Float64Array(256).fill(1);
  const rows = Array.from({ length: count }, (_, file) => ({
    run: 'night',
    row: {
      firstFile: file,
      files: 1,
      slices: SLICES,
      startUtcMs: file,
      endUtcMs: file + 1,
      power: file,
      mean: values,
      largest: values,
    },
  }));
  store.put(rows, {});
  return store;
}

const query = (store: HistoryStore, asked: Partial<HistoryQuery>): History => {
  const bytes = store.query('night', { ...ALL, ...asked });
  if (bytes === null) throw new Error('no history');
  return decodeHistory(bytes);
};

test('the detail follows what is asked, and every file is in exactly one row', async () => {
  const store = await filled(1000);
  for (const rows of [10, 63, 250, 1000, 2048]) {
    const history = query(store, { rows });
    expect(history.rows.length).toBeLessThanOrEqual(rows);
    expect(history.rows.length).toBeGreaterThan(Math.min(1000, rows) / 4 - 1);
    expect(history.rows.reduce((sum, row) => sum + row.files, 0)).toBe(1000);
    // Power is the file's number, so a row's is the mean of the numbers in it.
    for (const row of history.rows) expect(row.power).toBeCloseTo(row.firstFile + (row.files - 1) / 2, 6);
  }
  const part = query(store, { from: 200, to: 299, rows: 100 });
  expect([part.filesPerRow, part.rows.length, part.rows[0]?.firstFile]).toEqual([1, 100, 200]);
  expect(query(store, { from: 5000, to: 6000 }).rows.map(({ firstFile }) => firstFile)).toEqual([999]);
});

test('a file that is read twice counts once', async () => {
  const store = await filled(8);
  const again = query(store, {}).rows.slice(2, 5);
  store.put(
    again.map((row) => ({ run: 'night', row })),
    {},
  );
  const [all] = query(store, { rows: 1 }).rows;
  expect(all).toMatchObject({ files: 8, slices: 8 * SLICES });
});

test('each level forgets its oldest rows, and the next one still has them', async () => {
  const store = await filled(1000, 100);
  expect(query(store, { from: 900, to: 999 }).filesPerRow).toBe(1);
  expect(query(store, { from: 700, to: 999 }).filesPerRow).toBe(4);
  const whole = query(store, {});
  expect([whole.filesPerRow, whole.rows.reduce((sum, row) => sum + row.files, 0)]).toEqual([16, 1000]);
});
