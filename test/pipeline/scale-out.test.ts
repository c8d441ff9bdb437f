/**
 * Two bridges that share the partitions of one log, in one process: partitions move between them while files are open.
 * Log and topics are in memory; what a broker adds is in `test/broker` and `test/faults`.
 */
import pino from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type InputHandlers,
  type InputPort,
  type InputRecord,
  LogError,
  type OutputPort,
  type ResultRecord,
  type StartFrom,
} from '../../bridge/log/port.ts';
import { BridgeMetrics } from '../../bridge/metrics.ts';
import { Pipeline } from '../../bridge/pipeline.ts';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import type { SpectrumEngine } from '../../web/engine/engine.ts';
import { fullRecord, GEOMETRY, plainRecord } from '../assembly/helpers.ts';
import { connectEngine } from './processor.ts';

const PARTITIONS = 2;
const SLICES = 8;
const PER_MESSAGE = 4;

/** The topics of input, results and progress, and who may write what. */
class Cluster {
  readonly logs: InputRecord[][] = Array.from({ length: PARTITIONS }, () => []);
  readonly results: string[] = [];
  readonly progress = new Map<number, Buffer>();
  readonly owners = new Map<number, OutputPort>();
  readonly inputs: MemoryInput[] = [];

  /** One message of a file, which lies in one partition. */
  send(file: number, message: number): void {
    const partition = file % PARTITIONS;
    const log = this.logs[partition] ?? [];
    const range = { first: message * PER_MESSAGE, slices: PER_MESSAGE, of: SLICES };
    this.#append(partition, fullRecord({ partition, offset: log.length }, file, message, range));
  }

  sendWithoutHeaders(partition: number): void {
    const offset = (this.logs[partition] ?? []).length;
    this.#append(partition, plainRecord({ partition, offset }, 7, 0, PER_MESSAGE));
  }

  #append(partition: number, record: InputRecord): void {
    this.logs[partition]?.push(record);
    for (const input of this.inputs) input.deliver();
  }
}

/** A member of the group to which the test assigns partitions. */
class MemoryInput implements InputPort {
  readonly kind = 'kafka';
  isStopped = false;
  readonly #cluster: Cluster;
  #handlers: InputHandlers | null = null;
  #next = new Map<number, number>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    cluster.inputs.push(this);
  }

  async start(handlers: InputHandlers): Promise<void> {
    this.#handlers = handlers;
  }

  async assign(...partitions: readonly number[]): Promise<void> {
    this.#next = new Map();
    this.#handlers?.revoked();
    if (partitions.length === 0) return;
    const endOffset = (partition: number): number => this.#cluster.logs[partition]?.length ?? 0;
    const assigned = partitions.map((partition) => ({
      partition,
      lowOffset: 0,
      endOffset: endOffset(partition),
    }));
    const starts = await this.#handlers?.assigned(assigned);
    this.#next = new Map(partitions.map((partition) => [partition, starts?.get(partition) ?? 0]));
    this.deliver();
  }

  deliver(): void {
    for (const [partition, next] of this.#next) {
      const log = this.#cluster.logs[partition] ?? [];
      if (next >= log.length || this.isStopped) continue;
      this.#next.set(partition, log.length);
      this.#handlers?.records(partition, log.slice(next), log.length);
    }
  }

  async resolve(from: StartFrom): Promise<ReadonlyMap<number, number>> {
    return new Map(
      this.#cluster.logs.map((log, partition) => [partition, from === 'latest' ? log.length : 0]),
    );
  }

  async endOffsets(): Promise<ReadonlyMap<number, number>> {
    return new Map(this.#cluster.logs.map((log, partition) => [partition, log.length]));
  }

  pause(): void {}
  resume(): void {}
  reassign(): void {}
  commit(): void {}
  async stop(): Promise<void> {
    this.isStopped = true;
  }
}

/** Results and progress of one partition; a second one of the same fences the first. */
class MemoryOutput implements OutputPort {
  readonly kind = 'kafka';
  readonly #cluster: Cluster;
  readonly #partition: number;

  constructor(cluster: Cluster, partition: number) {
    this.#cluster = cluster;
    this.#partition = partition;
  }

  async acquire(): Promise<Buffer | null> {
    this.#cluster.owners.set(this.#partition, this);
    return this.#cluster.progress.get(this.#partition) ?? null;
  }

  async publish(results: readonly ResultRecord[], progress: Buffer): Promise<void> {
    if (this.#cluster.owners.get(this.#partition) !== this)
      throw new LogError('fenced', 'another one writes');
    this.#cluster.results.push(...results.map(({ run, file }) => `${run}/${file}`));
    this.#cluster.progress.set(this.#partition, progress);
  }

  async read(): Promise<null> {
    return null;
  }
  async committed(): Promise<never> {
    throw new LogError('unavailable', 'nobody reads on here');
  }
  async ping(): Promise<boolean> {
    return true;
  }
  async release(): Promise<void> {}
}

let cluster: Cluster;
let engine: SpectrumEngine;
const running: Pipeline[] = [];

beforeEach(async () => {
  cluster = new Cluster();
  engine = await createCpuEngine({ bins: GEOMETRY.bins, window: 'none', workers: 0 });
});

afterEach(async () => {
  for (const pipeline of running.splice(0)) await pipeline.stop();
  await engine.dispose();
});

interface Bridge {
  readonly pipeline: Pipeline;
  readonly input: MemoryInput;
}

async function bridge(from: StartFrom = 'earliest'): Promise<Bridge> {
  const input = new MemoryInput(cluster);
  const outputs = Array.from({ length: PARTITIONS }, (_, partition) => new MemoryOutput(cluster, partition));
  const all = new MemoryOutput(cluster, -1);
  const pipeline = new Pipeline({
    input,
    output: all,
    scaleOut: {
      output: (partition) => outputs[partition] ?? all,
      others: async () => cluster.progress,
      close: () => {},
    },
    retention: null,
    inputName: 'memory',
    geometry: GEOMETRY,
    run: 'run1',
    slicesPerFile: SLICES,
    from,
    incompleteAfterMs: 60_000,
    software: 'haloscope test',
    machine: 'test',
    metrics: new BridgeMetrics(),
    logger: pino({ level: 'silent' }),
  });
  running.push(pipeline);
  await pipeline.start();
  connectEngine(pipeline, engine);
  return { pipeline, input };
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const filesDone = ({ pipeline }: Bridge): number => pipeline.state().run.filesDone;
const slicesIn = async ({ pipeline }: Bridge): Promise<number> =>
  (await pipeline.runSpectrum('run1'))?.moments.count ?? 0;

test('a partition moves with an open file; each file once, and the sums of both bridges are over all', async () => {
  const [first, second] = [await bridge(), await bridge()];
  await first.input.assign(0, 1);
  for (const file of [0, 1, 2, 3]) for (const message of [0, 1]) cluster.send(file, message);
  await until('four files are done', () => cluster.results.length === 4);
  // File 5 is half there when its partition moves.
  cluster.send(5, 0);
  await until('it is begun', () => first.pipeline.state().current?.file === 5);
  await first.input.assign(0);
  await second.input.assign(1);
  cluster.send(5, 1);
  cluster.send(4, 0);
  cluster.send(4, 1);
  await until('both show all', () => filesDone(first) === 6 && filesDone(second) === 6);
  expect(cluster.results.toSorted()).toEqual([0, 1, 2, 3, 4, 5].map((file) => `run1/${file}`));
  expect(await Promise.all([slicesIn(first), slicesIn(second)])).toEqual([6 * SLICES, 6 * SLICES]);

  // And back, all of it to the one that had nothing of it.
  await first.input.assign();
  await second.input.assign(0, 1);
  cluster.send(6, 0);
  cluster.send(6, 1);
  await until('the file is done', () => cluster.results.length === 7);
  await until('both show it', () => filesDone(first) === 7 && filesDone(second) === 7);
  expect(await slicesIn(second)).toBe(7 * SLICES);
});

test('without headers nothing more is read, and the bridge says why', async () => {
  const one = await bridge();
  await one.input.assign(0, 1);
  cluster.send(0, 0);
  cluster.sendWithoutHeaders(1);
  await until('it stops', () => one.input.isStopped);
  cluster.send(0, 1);
  const { alarms, input } = one.pipeline.state();
  expect(alarms).toMatchObject([{ code: 'scale-out', count: 1 }]);
  expect(input.reachable).toBe(false);
  expect(one.pipeline.notReady()).toEqual([expect.stringContaining('without headers')]);
  expect(cluster.results).toEqual([]);
});

test('from the latest on is decided once, and not again by every owner', async () => {
  cluster.send(1, 0);
  cluster.send(1, 1);
  const [first, second] = [await bridge('latest'), await bridge('latest')];
  await first.input.assign(1);
  cluster.send(3, 0);
  await until('it is begun', () => first.pipeline.state().current?.file === 3);
  await first.input.assign();
  cluster.send(3, 1);
  await second.input.assign(1);
  await until('it is done', () => cluster.results.length === 1);
  expect(cluster.results).toEqual(['run1/3']);
});

test('a partition that appears while others have published is read from its beginning', async () => {
  const [first, second] = [await bridge('latest'), await bridge('latest')];
  await first.input.assign(0);
  cluster.send(0, 0);
  cluster.send(0, 1);
  await until('a file is done', () => cluster.results.length === 1);
  cluster.send(1, 0);
  cluster.send(1, 1);
  await second.input.assign(1);
  await until('the file of the new one is done', () => cluster.results.includes('run1/1'));
  expect(await slicesIn(second)).toBe(2 * SLICES);
});

test('what an operator wants is refused: no bridge could decide for all', async () => {
  const one = await bridge();
  await one.input.assign(0, 1);
  const command = {
    id: 'command-1',
    run: 'run1',
    author: '',
    action: { kind: 'new-run', name: 'run2' },
  } as const;
  expect(await one.pipeline.operate(command, '127.0.0.1')).toMatchObject({ code: 'scale-out' });
});
