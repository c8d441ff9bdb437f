/**
 * The whole bridge in one process: real files, real store, real engine; only the socket is left out.
 * Results are compared with the float64 reference, which shares nothing with the engines.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ProcessorSession } from '../../bridge/dispatch/lease.ts';
import { FolderInput } from '../../bridge/log/embedded/folder-input.ts';
import { LmdbOutput } from '../../bridge/log/embedded/output.ts';
import { LogError, type OutputPort, type ResultRecord } from '../../bridge/log/port.ts';
import { BridgeMetrics } from '../../bridge/metrics.ts';
import { Pipeline } from '../../bridge/pipeline.ts';
import { type Geometry, publishedPowerScale } from '../../bridge/protocol/geometry.ts';
import { decodeResult } from '../../bridge/protocol/result.ts';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import type { SpectrumEngine } from '../../web/engine/engine.ts';
import { referenceMoments } from '../engine/reference.ts';
import { connectEngine } from './processor.ts';

const GEOMETRY: Geometry = { bins: 256, sampleRateHz: 2e6, loHz: 10e9 };
/** Three blocks. */
const SLICES = 4000;
const SAMPLES = SLICES * GEOMETRY.bins;

/** Noise of float32 samples; mulberry32, so that every run sees the same. */
function noise(seed: number, length: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32 - 0.5;
  });
}

const pairName = (channel: string, file: number): string =>
  `duck_${channel}_${String(file).padStart(5, '0')}.dat`;

let root: string;
let folder: string;
let engine: SpectrumEngine;
const running: Pipeline[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'haloscope-'));
  folder = root;
  engine = await createCpuEngine({ bins: GEOMETRY.bins, window: 'none', workers: 0 });
});

afterEach(async () => {
  for (const pipeline of running.splice(0)) await pipeline.stop();
  await engine.dispose();
  await rm(root, { recursive: true });
});

/** Files 0 … count − 1; another `seed` gives them other content. */
async function writeFiles(count: number, seed = 0): Promise<void> {
  for (let file = 0; file < count; file++) {
    for (const [channel, channelSeed] of [
      ['i', seed + 2 * file + 1],
      ['q', seed + 2 * file + 2],
    ] as const) {
      await writeFile(
        join(folder, pairName(channel, file)),
        new Uint8Array(noise(channelSeed, SAMPLES).buffer),
      );
    }
  }
}

function newPipeline(output: OutputPort, geometry = GEOMETRY): Pipeline {
  const pipeline = new Pipeline({
    machine: 'here',
    scaleOut: null,
    input: new FolderInput({
      folder,
      geometry,
      run: 'run1',
      from: 'earliest',
      problem: () => {},
      settleMs: 0,
      pollMs: 20,
    }),
    output,
    retention: null,
    inputName: 'folder',
    geometry,
    run: 'run1',
    slicesPerFile: SLICES,
    from: 'earliest',
    incompleteAfterMs: 60_000,
    software: 'haloscope test',
    metrics: new BridgeMetrics(),
    logger: pino({ level: 'silent' }),
  });
  running.push(pipeline);
  return pipeline;
}

const connect = (pipeline: Pipeline, id = 'p', limit = Infinity): ProcessorSession =>
  connectEngine(pipeline, engine, id, limit);

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('waited ten seconds in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Float64 reference of a file, as published; a relative error of 5e-7 is the engine's tolerance. */
function expectRight(record: ResultRecord | null, file: number): void {
  const samples = new Float32Array(2 * SAMPLES);
  samples.set(noise(2 * file + 1, SAMPLES), 0);
  samples.set(noise(2 * file + 2, SAMPLES), SAMPLES);
  const expected = referenceMoments(samples, [{ offset: 0, slices: SLICES }], { bins: GEOMETRY.bins });
  const found = decodeResult(record?.value.toString('utf8') ?? '');
  expect(found.file).toBe(file);
  expect(found.count).toBe(SLICES);
  const scale = publishedPowerScale(GEOMETRY);
  const relative = (a: number, b: number): number => Math.abs(a / b - 1);
  for (let k = 0; k < GEOMETRY.bins; k++) {
    const std = Math.sqrt((expected.m2[k] as number) / (SLICES - 1)) * scale;
    expect(relative(found.mean[k] as number, (expected.mean[k] as number) * scale)).toBeLessThan(5e-7);
    expect(relative(found.std[k] as number, std)).toBeLessThan(5e-7);
  }
}

/** The store, and how often each file was written to it. */
class CountingOutput extends LmdbOutput {
  readonly written: number[] = [];
  /** Called before a write; throwing makes it fail, `after` makes it fail although it took effect. */
  before: () => void = () => {};
  after: () => void = () => {};
  override async publish(results: readonly ResultRecord[], progress: Buffer): Promise<void> {
    this.before();
    await super.publish(results, progress);
    this.written.push(...results.map((result) => result.file));
    this.after();
  }
}

test('files become results, equal to the reference, and a run-wide average', async () => {
  await writeFiles(3);
  const output = new CountingOutput({ directory: join(root, 'store') });
  const pipeline = newPipeline(output);
  const traces = new Set<string>();
  pipeline.onSpectrum((snapshot) => traces.add(snapshot.trace));
  await pipeline.start();
  connect(pipeline);
  await until(() => output.written.length === 3);
  for (const file of output.written) expectRight(await output.read('run1', file), file);
  await until(() => pipeline.state().run.filesDone === 3);
  expect(traces).toEqual(new Set(['progress', 'latest', 'run']));
  const run = await pipeline.runSpectrum('run1');
  expect(run?.moments.count).toBe(3 * SLICES);
  const file = await pipeline.fileSpectrum('run1', 1);
  expect(file?.moments.count).toBe(SLICES);
  expect(pipeline.notReady()).toEqual([]);
  expect(pipeline.state().alarms).toEqual([]);
});

test('a processor that goes in the middle of a file hands over to the next', async () => {
  await writeFiles(1);
  const output = new CountingOutput({ directory: join(root, 'store') });
  const pipeline = newPipeline(output);
  await pipeline.start();
  const first = connect(pipeline, 'a', 1);
  await until(() => (pipeline.state().current?.slicesDone ?? 0) > 0);
  first.leave();
  connect(pipeline, 'b');
  await until(() => output.written.length === 1);
  expectRight(await output.read('run1', 0), 0);
});

test.each(['before', 'after'] as const)(
  'a write that fails %s it took effect leaves every file published once',
  async (when) => {
    await writeFiles(3);
    const output = new CountingOutput({ directory: join(root, 'store') });
    let calls = 0;
    output[when] = () => {
      if (++calls === 2) throw new LogError('unavailable', 'the answer was lost');
    };
    const pipeline = newPipeline(output);
    await pipeline.start();
    connect(pipeline);
    await until(() => pipeline.state().run.filesDone === 3);
    expect(output.written.toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
    const run = await pipeline.runSpectrum('run1');
    expect(run?.moments.count).toBe(3 * SLICES);
    expect(pipeline.state().alarms.map((alarm) => alarm.code)).toContain('output');
  },
);

test('a stop finishes the file in hand; the next bridge goes on behind it', async () => {
  await writeFiles(4);
  const output = new CountingOutput({ directory: join(root, 'store') });
  const first = newPipeline(output);
  await first.start();
  connect(first);
  await until(() => output.written.length >= 1);
  await first.stop();
  const done = output.written.length;
  const again = new CountingOutput({ directory: join(root, 'store') });
  const second = newPipeline(again);
  await second.start();
  await until(() => second.state().run.filesDone === done);
  const samples = (): readonly (readonly [string, number])[] =>
    second.snapshots().map(({ trace, time }) => [trace, time.samples] as const);
  // What the digitiser did is in the progress record, too.
  expect(samples()).toEqual([['run', done * SLICES * GEOMETRY.bins]]);
  connect(second);
  await until(() => second.state().run.filesDone === 4);
  expect(samples()).toContainEqual(['run', 4 * SLICES * GEOMETRY.bins]);
  expect(samples()).toContainEqual(['latest', SLICES * GEOMETRY.bins]);
  expect([...output.written, ...again.written].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
  const run = await second.runSpectrum('run1');
  expect(run?.moments.count).toBe(4 * SLICES);
});

test('without a processor data wait in the log and memory stays bounded', async () => {
  await writeFiles(8);
  const pipeline = newPipeline(new CountingOutput({ directory: join(root, 'store') }));
  await pipeline.start();
  await until(() => (pipeline.state().lag?.files ?? 0) >= 7);
  expect(pipeline.state().current?.slicesDone).toBe(0);
  connect(pipeline);
  await until(() => pipeline.state().run.filesDone === 8);
});

test('files that wait for a slow output hold the reading up', async () => {
  const files = 120;
  const samples = new Uint8Array(noise(1, 16 * GEOMETRY.bins).buffer);
  for (let file = 0; file < files; file++)
    for (const channel of ['i', 'q']) await writeFile(join(folder, pairName(channel, file)), samples);
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  class SlowOutput extends CountingOutput {
    override async publish(results: readonly ResultRecord[], progress: Buffer): Promise<void> {
      await opened;
      await super.publish(results, progress);
    }
  }
  const pipeline = newPipeline(new SlowOutput({ directory: join(root, 'store') }));
  await pipeline.start();
  connect(pipeline);
  const done = (): number => pipeline.state().clients[0]?.blocksDone ?? 0;
  await until(() => done() >= 32);
  await new Promise((resolve) => setTimeout(resolve, 500));
  // Each is one block: 32 that wait, one in the output's hands, and what had been read when the bound was reached.
  expect(done()).toBeLessThan(files / 2);
  open();
  await until(() => pipeline.state().run.filesDone === files);
});

test('another log under the same name goes on as another run, and nothing of it is skipped', async () => {
  await writeFiles(2);
  const output = new CountingOutput({ directory: join(root, 'store') });
  const first = newPipeline(output);
  await first.start();
  connect(first);
  await until(() => first.state().run.filesDone === 2);
  await first.stop();
  await writeFiles(3, 1000);
  const second = newPipeline(new CountingOutput({ directory: join(root, 'store') }));
  await second.start();
  connect(second);
  await until(() => second.state().run.name === 'run1~2' && second.state().run.filesDone === 3);
  expect(second.state().alarms.map((alarm) => alarm.code)).toEqual(['new-log']);
  expect((await second.runSpectrum('run1'))?.moments.count).toBe(2 * SLICES);
  expect((await second.runSpectrum('run1~2'))?.moments.count).toBe(3 * SLICES);
});

test('a store of another slice length is refused with what to do', async () => {
  await writeFiles(1);
  const output = new CountingOutput({ directory: join(root, 'store') });
  const first = newPipeline(output);
  await first.start();
  connect(first);
  await until(() => first.state().run.filesDone === 1);
  await first.stop();
  const other = newPipeline(new CountingOutput({ directory: join(root, 'store') }), {
    ...GEOMETRY,
    bins: 512,
  });
  await other.start();
  await until(() => other.notReady().some((reason) => reason.includes('--bins 256')));
  expect(other.state().run.filesDone).toBe(0);
});
