/**
 * Files that lack slices: when they are given up, when not, and what the counters say of them and of everything else
 * that could not be used. The log is in memory, and says only what the test lets it say.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LmdbOutput } from '../../bridge/log/embedded/output.ts';
import { type InputHandlers, type InputPort, type InputRecord, LogError } from '../../bridge/log/port.ts';
import { BridgeMetrics } from '../../bridge/metrics.ts';
import { Pipeline } from '../../bridge/pipeline.ts';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import type { SpectrumEngine } from '../../web/engine/engine.ts';
import { fullRecord, GEOMETRY } from '../assembly/helpers.ts';
import { connectEngine } from './processor.ts';

const SLICES = 10;
const INCOMPLETE_AFTER_MS = 200;

/** Two partitions. */
class MemoryInput implements InputPort {
  readonly kind = 'kafka';
  readonly logs: InputRecord[][] = [[], []];
  /** Whether ends can be asked for. */
  isReachable = true;
  /** Partition that gives no records although it has some. */
  stuck = -1;
  asked = 0;
  #handlers: InputHandlers | null = null;
  #next = new Map<number, number>();

  async start(handlers: InputHandlers): Promise<void> {
    this.#handlers = handlers;
    const partitions = this.logs.map((log, partition) => ({
      partition,
      lowOffset: 0,
      endOffset: log.length,
    }));
    const starts = await handlers.assigned(partitions);
    this.#next = new Map(partitions.map(({ partition }) => [partition, starts.get(partition) ?? 0]));
    this.deliver();
  }

  /** Files of which some messages may be left out; the whole file is in partition 0, its last message in 1. */
  append(file: number, messages: readonly number[]): void {
    for (const message of messages) {
      const partition = message === 2 ? 1 : 0;
      const log = this.logs[partition] as InputRecord[];
      const range = { first: 4 * message, slices: Math.min(4, SLICES - 4 * message), of: SLICES };
      log.push(fullRecord({ partition, offset: log.length }, file, message, range));
    }
    this.deliver();
  }

  deliver(): void {
    for (const [partition, next] of this.#next) {
      const log = this.logs[partition] as InputRecord[];
      if (partition === this.stuck || next >= log.length) continue;
      this.#next.set(partition, log.length);
      this.#handlers?.records(partition, log.slice(next), log.length);
    }
  }

  async resolve(): Promise<ReadonlyMap<number, number>> {
    return new Map(this.logs.map((_, partition) => [partition, 0]));
  }

  async endOffsets(): Promise<ReadonlyMap<number, number>> {
    this.asked++;
    if (!this.isReachable) throw new LogError('unreachable', 'no leader');
    return new Map(this.logs.map((log, partition) => [partition, log.length]));
  }

  pause(): void {}
  resume(): void {}
  reassign(): void {}
  commit(): void {}
  async stop(): Promise<void> {}
}

let root: string;
let engine: SpectrumEngine;
let metrics: BridgeMetrics;
const running: Pipeline[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'haloscope-'));
  engine = await createCpuEngine({ bins: GEOMETRY.bins, window: 'none', workers: 0 });
  metrics = new BridgeMetrics();
});

afterEach(async () => {
  for (const pipeline of running.splice(0)) await pipeline.stop();
  await engine.dispose();
  await rm(root, { recursive: true });
});

async function serve(input: InputPort): Promise<Pipeline> {
  const pipeline = new Pipeline({
    input,
    output: new LmdbOutput({ directory: join(root, 'store') }),
    retention: null,
    inputName: 'memory',
    geometry: GEOMETRY,
    run: 'run1',
    slicesPerFile: SLICES,
    from: 'earliest',
    incompleteAfterMs: INCOMPLETE_AFTER_MS,
    software: 'haloscope test',
    machine: 'test',
    scaleOut: null,
    metrics,
    logger: pino({ level: 'silent' }),
  });
  running.push(pipeline);
  await pipeline.start();
  connectEngine(pipeline, engine);
  return pipeline;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Three questions for the end of the log: three seconds, in which a quiet file would be given up many times over. */
async function threeLooks(input: MemoryInput): Promise<void> {
  const before = input.asked;
  await until('three looks', () => input.asked >= before + 3);
}

const listed = (pipeline: Pipeline): string[] =>
  pipeline.state().incomplete.map(({ run, file, missing }) => `${run}/${file}: ${missing}`);
const filesDone = (pipeline: Pipeline): number => pipeline.state().run.filesDone;

async function value(line: string): Promise<number> {
  const text = await metrics.registry.metrics();
  const found = text.split('\n').find((each) => each.startsWith(`${line} `));
  return Number(found?.split(' ').at(-1));
}

test('a file that lacks slices is given up; completed later it is published once, and listed no longer', async () => {
  const input = new MemoryInput();
  const pipeline = await serve(input);
  input.append(0, [0, 2]);
  input.append(1, [0, 1, 2]);
  await until('file 0 is given up', () => listed(pipeline).length > 0);
  expect(listed(pipeline)).toEqual(['run1/0: 4-7']);
  expect(await value('haloscope_files_incomplete_total')).toBe(1);
  expect(pipeline.state().alarms.map(({ code }) => code)).toEqual(['incomplete']);
  await until('file 1', () => filesDone(pipeline) === 1);
  input.append(0, [1]);
  input.append(0, [1]);
  await until('file 0', () => filesDone(pipeline) === 2);
  expect(listed(pipeline)).toEqual([]);
  await until(
    'the second copy is counted',
    () =>
      pipeline.state().rejected['duplicate'] === 4 || pipeline.state().rejected['already-published'] === 4,
  );
});

test('while the end of a partition cannot be asked for, nothing is given up', async () => {
  const input = new MemoryInput();
  input.isReachable = false;
  const pipeline = await serve(input);
  input.append(0, [0, 2]);
  await threeLooks(input);
  expect(listed(pipeline)).toEqual([]);
  expect(pipeline.state().lag).toBeNull();
  input.isReachable = true;
  await until('file 0 is given up', () => listed(pipeline).length > 0);
});

test('while a partition has records that do not come, nothing is given up', async () => {
  const input = new MemoryInput();
  input.stuck = 1;
  const pipeline = await serve(input);
  input.append(0, [0, 1, 2]);
  await threeLooks(input);
  expect(listed(pipeline)).toEqual([]);
  input.stuck = -1;
  input.deliver();
  await until('file 0', () => filesDone(pipeline) === 1);
  expect(await value('haloscope_files_incomplete_total')).toBe(0);
});

test('given up before a restart, sent again as a whole after it: published once, and listed no longer', async () => {
  const input = new MemoryInput();
  const first = await serve(input);
  input.append(0, [0, 2]);
  input.append(1, [0, 1, 2]);
  await until(
    'file 0 is given up, file 1 published',
    () => listed(first).length === 1 && filesDone(first) === 1,
  );
  await running.splice(0)[0]?.stop();
  const again = new MemoryInput();
  again.logs.splice(0, 2, ...input.logs);
  const second = await serve(again);
  expect(listed(second)).toEqual(['run1/0: 4-7']);
  again.append(0, [0, 1, 2]);
  await until('file 0', () => filesDone(second) === 2);
  expect(listed(second)).toEqual([]);
});

test('every counter that is public moves', async () => {
  const input = new MemoryInput();
  const pipeline = await serve(input);
  input.append(0, [0, 1, 1, 2]);
  await until('file 0', () => filesDone(pipeline) === 1);
  input.append(1, [0]);
  const log = input.logs[0] as InputRecord[];
  const spoilt = fullRecord({ partition: 0, offset: log.length }, 1, 1, { first: 4, slices: 4, of: SLICES });
  log.push({ ...spoilt, headers: { ...spoilt.headers, 'hs-crc32': '00000000' } });
  input.deliver();
  await until('file 1 is given up', () => listed(pipeline).length === 1);
  expect(await value('haloscope_files_published_total')).toBe(1);
  expect(await value('haloscope_files_incomplete_total')).toBe(1);
  expect(await value('haloscope_slices_received_total')).toBe(22);
  expect(await value('haloscope_slices_rejected_total{reason="duplicate"}')).toBe(4);
  expect(await value('haloscope_slices_rejected_total{reason="checksum"}')).toBe(4);
  expect(await value('haloscope_last_slice_to_result_seconds_count')).toBe(1);
  expect(await value('haloscope_publish_seconds_count')).toBeGreaterThanOrEqual(1);
  expect(await value('haloscope_input_lag_files')).not.toBeNaN();
});
