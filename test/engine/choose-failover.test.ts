/** Failover without a GPU: which engine gets a block, what is said, and when the GPU is tried again. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type BlockMoments, emptyTimeSums } from '../../bridge/protocol/moments.ts';
import {
  FailoverEngine,
  type FailoverOptions,
  type FallibleEngine,
  RETRY_PAUSES_MS,
} from '../../web/engine/choose-failover.ts';
import {
  type EngineBlock,
  type EngineDescription,
  EngineError,
  type EngineErrorCode,
  type EngineKind,
} from '../../web/engine/engine.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Answers with the number of samples as count, so that an answer is known to belong to its block. */
class CountingEngine implements FallibleEngine {
  readonly description: EngineDescription;
  readonly depth: number;
  readonly ended: Promise<EngineError>;
  blocks = 0;
  disposed = false;
  failure: EngineError | undefined;
  #end: (reason: EngineError) => void = () => {};

  constructor(kind: EngineKind, depth: number) {
    this.description = { kind, name: `a ${kind}`, why: 'made' };
    this.depth = depth;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  end(code: EngineErrorCode): void {
    this.failure = new EngineError(code, `${this.description.name}: ${code}`);
    this.#end(this.failure);
  }

  async process({ samples }: EngineBlock): Promise<BlockMoments> {
    this.blocks++;
    await Promise.resolve();
    if (this.failure) throw this.failure;
    const empty = new Float32Array(0);
    return { count: samples.length, scaleExponent: 0, mean: empty, m2: empty, time: emptyTimeSums() };
  }

  dispose(): Promise<void> {
    this.disposed = true;
    return Promise.resolve();
  }
}

const blockOf = (samples: number): EngineBlock => ({
  samples: new Float32Array(samples),
  segments: [],
  clipLevel: Infinity,
});

/** Engines as they are made, and what was said. */
function surroundings(gpuThere: () => boolean = () => true) {
  const gpus: CountingEngine[] = [];
  const cpus: CountingEngine[] = [];
  const said: EngineDescription[] = [];
  const options: FailoverOptions = {
    makeGpu: () => {
      if (!gpuThere()) return Promise.reject(new EngineError('unavailable', 'no adapter'));
      gpus.push(new CountingEngine('gpu', 3));
      return Promise.resolve(gpus.at(-1) as CountingEngine);
    },
    makeCpu: () => {
      cpus.push(new CountingEngine('wasm', 2));
      return Promise.resolve(cpus.at(-1) as CountingEngine);
    },
    onChange: (description) => said.push(description),
  };
  const startOnGpu = async () =>
    FailoverEngine.start(options, { gpu: await options.makeGpu(), why: 'it works' });
  return { gpus, cpus, said, options, startOnGpu };
}

test('the GPU works, and no CPU engine is made', async () => {
  const { cpus, said, startOnGpu } = surroundings();
  const engine = await startOnGpu();
  expect(engine.description).toEqual({ kind: 'gpu', name: 'a gpu', why: 'it works' });
  expect(engine.depth).toBe(3);
  expect((await engine.process(blockOf(7))).count).toBe(7);
  expect(cpus).toHaveLength(0);
  expect(said).toEqual([]);
});

test.each(['device-lost', 'out-of-memory', 'unavailable', 'self-test'] as const)(
  '%s: the CPU answers the very blocks in hand, once each',
  async (code) => {
    const { gpus, cpus, said, startOnGpu } = surroundings();
    const engine = await startOnGpu();
    const pending = [engine.process(blockOf(1)), engine.process(blockOf(2)), engine.process(blockOf(3))];
    gpus[0]?.end(code);
    expect((await Promise.all(pending)).map(({ count }) => count)).toEqual([1, 2, 3]);
    expect(cpus).toHaveLength(1);
    expect(cpus[0]?.blocks).toBe(3);
    expect(gpus[0]?.disposed).toBe(true);
    expect(said).toEqual([
      {
        kind: 'wasm',
        name: 'a wasm',
        why: `a gpu: ${code}; the CPU took over, the GPU is tried again in 10 s`,
      },
    ]);
    expect(engine.description).toEqual(said[0]);
    expect(engine.depth).toBe(2);
    await engine.dispose();
  },
);

test('a GPU that is lost between blocks is noticed without one', async () => {
  const { gpus, said, startOnGpu } = surroundings();
  const engine = await startOnGpu();
  gpus[0]?.end('device-lost');
  await vi.advanceTimersByTimeAsync(0);
  expect(said).toHaveLength(1);
  expect(engine.description.kind).toBe('wasm');
  await engine.dispose();
});

test.each(['non-finite', 'bad-block'] as const)('%s is the block’s fault and not the GPU’s', async (code) => {
  const { gpus, cpus, said, startOnGpu } = surroundings();
  const engine = await startOnGpu();
  const gpu = gpus[0] as CountingEngine;
  gpu.failure = new EngineError(code, 'the block');
  await expect(engine.process(blockOf(1))).rejects.toMatchObject({ code });
  gpu.failure = undefined;
  await engine.process(blockOf(1));
  expect([gpu.blocks, cpus.length, said.length]).toEqual([2, 0, 0]);
});

test('the GPU is tried again after growing pauses, for ever, and used again when it is back', async () => {
  let there = true;
  let asked = 0;
  const { gpus, said, startOnGpu } = surroundings(() => {
    asked++;
    return there;
  });
  const engine = await startOnGpu();
  there = false;
  asked = 0;
  gpus[0]?.end('device-lost');
  await vi.advanceTimersByTimeAsync(0);
  const pauses = [...RETRY_PAUSES_MS, ...Array.from({ length: 5 }, () => RETRY_PAUSES_MS.at(-1) as number)];
  for (const [tries, pauseMs] of pauses.entries()) {
    await vi.advanceTimersByTimeAsync(pauseMs - 1);
    expect(asked).toBe(tries);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked).toBe(tries + 1);
  }
  expect(engine.description.kind).toBe('wasm');

  there = true;
  await vi.advanceTimersByTimeAsync(RETRY_PAUSES_MS.at(-1) as number);
  expect(engine.description).toMatchObject({ kind: 'gpu', why: 'the GPU is back and passed its self-test' });
  expect(said).toHaveLength(2);
  await engine.process(blockOf(1));
  expect(gpus[1]?.blocks).toBe(1);
  await engine.dispose();
});

test('a GPU that fails soon again waits longer; one that worked for long starts over', async () => {
  const { gpus, said, startOnGpu } = surroundings();
  const engine = await startOnGpu();
  const pauseSaid = (): string | undefined => said.at(-1)?.why.match(/again in (.*)$/)?.[1];
  const lose = async (): Promise<void> => {
    gpus.at(-1)?.end('device-lost');
    await vi.advanceTimersByTimeAsync(0);
  };
  await lose();
  expect(pauseSaid()).toBe('10 s');
  await vi.advanceTimersByTimeAsync(10_000);
  await lose();
  expect(pauseSaid()).toBe('30 s');
  await vi.advanceTimersByTimeAsync(30_000);
  await lose();
  expect(pauseSaid()).toBe('2 min');
  await vi.advanceTimersByTimeAsync(120_000);
  expect(engine.description.kind).toBe('gpu');
  await vi.advanceTimersByTimeAsync(3_600_000);
  await lose();
  expect(pauseSaid()).toBe('10 s');
  await engine.dispose();
});

test('a block that began on the CPU ends there, though the GPU is back', async () => {
  const { gpus, cpus, startOnGpu } = surroundings();
  const engine = await startOnGpu();
  gpus[0]?.end('device-lost');
  await vi.advanceTimersByTimeAsync(0);
  const pending = engine.process(blockOf(5));
  await vi.advanceTimersByTimeAsync(10_000);
  expect((await pending).count).toBe(5);
  expect([cpus[0]?.blocks, gpus[1]?.blocks]).toEqual([1, 0]);
  await engine.dispose();
});

test('without a GPU at the start it is the CPU, tried again only where that makes sense', async () => {
  for (const retry of [false, true]) {
    const { gpus, options } = surroundings();
    const engine = await FailoverEngine.start(options, { gpu: undefined, why: 'no adapter', retry });
    expect(engine.description).toEqual({ kind: 'wasm', name: 'a wasm', why: 'no adapter' });
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(gpus).toHaveLength(retry ? 1 : 0);
    await engine.dispose();
  }
});

test('shut down: both engines are, no later try happens, and blocks are refused', async () => {
  const { gpus, cpus, startOnGpu } = surroundings();
  const engine = await startOnGpu();
  gpus[0]?.end('device-lost');
  await engine.process(blockOf(1));
  await engine.dispose();
  expect(cpus[0]?.disposed).toBe(true);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(gpus).toHaveLength(1);
  await expect(engine.process(blockOf(1))).rejects.toMatchObject({ code: 'disposed' });
});
