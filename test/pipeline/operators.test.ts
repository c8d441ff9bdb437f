/**
 * Operators at a whole bridge in one process: commands are committed with the output, and a failure before, during or
 * after that leaves the old state or the new one. Real files, real store, real engine.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { decodeProgress } from '../../bridge/assembly/progress.ts';
import { FolderInput } from '../../bridge/log/embedded/folder-input.ts';
import { LmdbOutput } from '../../bridge/log/embedded/output.ts';
import { LogError, type ResultRecord } from '../../bridge/log/port.ts';
import { BridgeMetrics } from '../../bridge/metrics.ts';
import { Pipeline } from '../../bridge/pipeline.ts';
import { exportEcsv, exportJson } from '../../bridge/protocol/exports.ts';
import type { Geometry } from '../../bridge/protocol/geometry.ts';
import type { CommandOutcome, OperatorAction } from '../../bridge/protocol/operator.ts';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import type { SpectrumEngine } from '../../web/engine/engine.ts';
import { connectEngine } from './processor.ts';

const GEOMETRY: Geometry = { bins: 256, sampleRateHz: 2e6, loHz: 10e9 };
const SLICES = 16;
/** A loaded machine is slow. */
const PATIENCE_MS = 20_000;

let root: string;
let engine: SpectrumEngine;
let files = 0;
const running: Pipeline[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'haloscope-'));
  engine = await createCpuEngine({ bins: GEOMETRY.bins, window: 'none', workers: 0 });
  files = 0;
});

afterEach(async () => {
  for (const pipeline of running.splice(0)) await pipeline.stop();
  await engine.dispose();
  await rm(root, { recursive: true });
});

/** The next file of the run. */
async function record(): Promise<void> {
  const samples = Float32Array.from({ length: SLICES * GEOMETRY.bins }, (_, k) => Math.sin(k * (files + 1)));
  for (const channel of ['i', 'q'])
    await writeFile(join(root, `duck_${channel}_${String(files).padStart(5, '0')}.dat`), samples);
  files += 1;
}

/** The store; what it is asked to write can fail, before or after it is written. */
class FailingOutput extends LmdbOutput {
  readonly published: string[] = [];
  before: () => void = () => {};
  after: () => void = () => {};
  override async publish(results: readonly ResultRecord[], progress: Buffer): Promise<void> {
    this.before();
    await super.publish(results, progress);
    this.published.push(...results.map(({ run, file }) => `${run}/${file}`));
    this.after();
  }
}

const newOutput = (): FailingOutput => new FailingOutput({ directory: join(root, 'store') });

async function newBridge(output: FailingOutput): Promise<Pipeline> {
  const problem = (): void => {};
  const from = 'earliest';
  const pipeline = new Pipeline({
    machine: 'here',
    scaleOut: null,
    input: new FolderInput({
      folder: root,
      geometry: GEOMETRY,
      run: 'run1',
      from,
      problem,
      settleMs: 0,
      pollMs: 20,
    }),
    output,
    retention: null,
    inputName: 'folder',
    geometry: GEOMETRY,
    run: 'run1',
    slicesPerFile: SLICES,
    from,
    incompleteAfterMs: 60_000,
    software: 'haloscope test',
    metrics: new BridgeMetrics(),
    logger: pino({ level: 'silent' }),
  });
  running.push(pipeline);
  await pipeline.start();
  connectEngine(pipeline, engine);
  return pipeline;
}

const filesOf = async (pipeline: Pipeline, run: string, count: number): Promise<void> => {
  await expect
    .poll(() => [pipeline.state().run.name, pipeline.state().run.filesDone], { timeout: PATIENCE_MS })
    .toEqual([run, count]);
};

let ids = 0;
const operate = (
  pipeline: Pipeline,
  run: string,
  action: OperatorAction,
  id = `command-${++ids}`,
): Promise<CommandOutcome> => pipeline.operate({ id, run, author: 'shift', action }, '127.0.0.1');

test('a new run, a reset and annotations are seen at once, and by the next bridge', async () => {
  await record();
  const output = newOutput();
  const first = await newBridge(output);
  await filesOf(first, 'run1', 1);
  expect(await operate(first, 'run1', { kind: 'new-run', name: 'run2' })).toMatchObject({ outcome: 'done' });
  expect(first.state().run).toMatchObject({ name: 'run2', filesDone: 0 });
  expect(first.snapshots()).toEqual([]);
  await record();
  await filesOf(first, 'run2', 1);
  const at = { kind: 'frequency', hz: 10.0005e9 } as const;
  await operate(first, 'run2', { kind: 'annotate', at, text: 'tuner moved' });
  await operate(first, 'run2', { kind: 'reset' });
  expect(first.state().run).toMatchObject({ filesDone: 0, slicesDone: 0, resetUtc: expect.any(String) });
  expect(await first.runSpectrum('run2')).toBeNull();
  await first.stop();

  await record();
  const second = await newBridge(newOutput());
  await filesOf(second, 'run2', 1);
  expect(second.state()).toMatchObject({
    annotations: [{ at, text: 'tuner moved', author: 'shift' }],
    operations: [
      { who: 'shift', what: 'began run run2 with file 1, after run1' },
      { what: 'annotated run2: «tuner moved»' },
      { what: 'reset the average of run2, which held 1 file' },
    ],
  });
  expect((await second.runSpectrum('run1'))?.moments.count).toBe(SLICES);
  const spectrum = await second.runSpectrum('run2');
  expect(spectrum?.moments.count).toBe(SLICES);
  const note = { freq_Hz: at.hz, text: 'tuner moved', author: 'shift' };
  const json = JSON.parse(exportJson(spectrum as never, 'test'));
  expect(json).toMatchObject({ run: 'run2', annotations: [note], average_since_utc: expect.any(String) });
  expect(exportEcsv(spectrum as never, 'test')).toContain('# - annotations: [{"freq_Hz":10000500000,');
  expect((await second.fileSpectrum('run2', 2))?.moments.count).toBe(SLICES);
});

test.each([
  ['before', 'run1'],
  ['after', 'run2'],
] as const)(
  'a write that fails %s it took effect leaves the run %s, and asked again it is done once',
  async (when, between) => {
    await record();
    const output = newOutput();
    const pipeline = await newBridge(output);
    await filesOf(pipeline, 'run1', 1);
    let isFailing = true;
    output[when] = () => {
      if (isFailing) throw new LogError('unavailable', 'the answer was lost');
    };
    const action = { kind: 'new-run', name: 'run2' } as const;
    expect(await operate(pipeline, 'run1', action, 'one-command')).toMatchObject({ code: 'unavailable' });
    isFailing = false;
    // Assigned again, from what is committed.
    await filesOf(pipeline, between, between === 'run1' ? 1 : 0);
    await expect.poll(() => pipeline.notReady(), { timeout: PATIENCE_MS }).toEqual([]);
    await expect
      .poll(() => operate(pipeline, 'run1', action, 'one-command'), { timeout: PATIENCE_MS })
      .toMatchObject({ outcome: 'done', message: 'began run run2 with file 1, after run1' });
    await record();
    await filesOf(pipeline, 'run2', 1);
    expect(output.published).toEqual(['run1/0', 'run2/1']);
    expect(pipeline.state().operations).toHaveLength(1);
  },
);

test('a command is committed between two files, whatever else is published', async () => {
  for (let k = 0; k < 6; k++) await record();
  const output = newOutput();
  const names = new Set<string>();
  let pipeline: Pipeline | null = null;
  const asked: Promise<CommandOutcome>[] = [];
  output.after = () => {
    if (pipeline !== null && output.published.length >= 3 && asked.length === 0)
      asked.push(operate(pipeline, 'run1', { kind: 'new-run', name: 'run2' }));
  };
  pipeline = await newBridge(output);
  await expect.poll(() => output.published.length, { timeout: PATIENCE_MS }).toBe(6);
  expect(await asked[0]).toMatchObject({ outcome: 'done' });
  await record();
  await filesOf(pipeline, 'run2', 7 - output.published.filter((name) => name.startsWith('run1/')).length);
  const numbers = output.published.map((name) => Number(name.split('/')[1]));
  expect(numbers.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  // One place where the name changes, by number.
  const byNumber = output.published.toSorted((a, b) => Number(a.split('/')[1]) - Number(b.split('/')[1]));
  for (const name of byNumber.map((each) => each.split('/')[0] as string)) {
    expect([...names].at(-1) === name || !names.has(name)).toBe(true);
    names.add(name);
  }
  expect([...names]).toEqual(['run1', 'run2']);
});

test('a bridge without input decides nothing', async () => {
  const pipeline = await newBridge(newOutput());
  await pipeline.stop();
  expect(await operate(pipeline, 'run1', { kind: 'reset' })).toMatchObject({ code: 'unavailable' });
});

test('the record is what a bridge of the next version reads', async () => {
  await record();
  const output = newOutput();
  const pipeline = await newBridge(output);
  await filesOf(pipeline, 'run1', 1);
  await operate(pipeline, 'run1', { kind: 'new-run', name: 'run2' });
  await pipeline.stop();
  const written = await newOutput().acquire();
  expect(decodeProgress(written as Buffer).titles).toEqual([{ run: 'run1', from: 1, name: 'run2' }]);
});
