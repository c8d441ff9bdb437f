import { expect, test } from 'vitest';
import { createEngineTable, followEngineTable } from '../../web/ui/model/engine-table.ts';
import type { EngineMeasurement } from '../../web/worker/engine-table.ts';

const row = (name: string): EngineMeasurement => ({
  candidate: 'wasm',
  kind: 'wasm',
  name,
  trouble: null,
  isSoftware: false,
  msPerFile: 24,
  mbPerSecond: 2800,
  gpuMsPerFile: null,
});

test('engines are measured once per request, one after the other, and never two at a time', async () => {
  const table = createEngineTable();
  const asked: number[] = [];
  let answer: (row: EngineMeasurement | null) => void = () => {};
  followEngineTable(table, (index) => {
    asked.push(index);
    return new Promise((resolve) => {
      answer = resolve;
    });
  });
  expect(asked).toEqual([]);
  table.wanted.value += 1;
  table.wanted.value += 1;
  expect([asked, table.isBusy.value]).toEqual([[0], true]);
  answer(row('a'));
  await Promise.resolve();
  expect([asked, table.rows.value]).toEqual([[0, 1], [row('a')]]);
  answer(null);
  await Promise.resolve();
  await Promise.resolve();
  expect(table.isBusy.value).toBe(false);
  table.wanted.value += 1;
  expect([asked, table.rows.value]).toEqual([[0, 1, 0], []]);
});

test('a worker that fails is said, and may be asked again', async () => {
  const table = createEngineTable();
  followEngineTable(table, () => Promise.reject(new Error('gone')));
  table.wanted.value = 1;
  await new Promise((resolve) => setTimeout(resolve));
  expect([table.trouble.value, table.isBusy.value]).toEqual(['gone', false]);
});
