/** Runs engines in a real browser and says what came out. */
import type { BlockMoments } from '../../../bridge/protocol/moments.ts';
import { createEngine } from '../../../web/engine/choose.ts';
import { createCpuEngine } from '../../../web/engine/cpu.ts';
import type { EngineDescription } from '../../../web/engine/engine.ts';
import { createGpuEngine, type GpuEngine } from '../../../web/engine/gpu/engine.ts';
import { ACCURACY_CASES, checkAccuracy } from '../../engine/accuracy.ts';
import { spyOn } from '../adapters.ts';
import { compareBlock, oddBlock, SHORT_BINS } from '../blocks.ts';
import type { Answer, Task } from './tasks.ts';

const options = { bins: SHORT_BINS, window: 'none' } as const;

async function accuracy({ bins, slices, inputs }: Task & { kind: 'accuracy' }): Promise<Answer> {
  const engine = await createGpuEngine(navigator.gpu, { bins, window: 'none' });
  const cases = ACCURACY_CASES.filter(({ name }) => inputs.includes(name));
  if (cases.length !== inputs.length)
    throw new Error(`the table has ${ACCURACY_CASES.map((c) => c.name).join(', ')}`);
  const rows = await checkAccuracy(engine, { bins, slices, slicesPerBlock: 160, cases });
  await engine.dispose();
  return { kind: 'accuracy', description: engine.description, rows };
}

/** The engine may take the samples away: the comparison makes the same block again. */
const problemsOf = (moments: BlockMoments, slices: number): string[] =>
  compareBlock(moments, oddBlock(SHORT_BINS, slices, slices), SHORT_BINS);

async function choose({ prefer }: Task & { kind: 'choose' }): Promise<Answer> {
  const engine = await createEngine({ ...options, prefer });
  const problems = problemsOf(await engine.process(oddBlock(SHORT_BINS, 9, 9)), 9);
  await engine.dispose();
  return { kind: 'engine', descriptions: [engine.description], problems };
}

async function pool({ workers, sizes }: Task & { kind: 'pool' }): Promise<Answer> {
  const engine = await createCpuEngine({ ...options, workers, kinds: ['wasm'] });
  const answers = await Promise.all(
    sizes.map((slices) => engine.process(oddBlock(SHORT_BINS, slices, slices))),
  );
  await engine.dispose();
  return {
    kind: 'pool',
    description: engine.description,
    problems: answers.flatMap((moments, k) => problemsOf(moments, sizes[k] as number)),
    isolated: crossOriginIsolated,
    sharedMemory: 'SharedArrayBuffer' in self,
  };
}

async function lose(): Promise<Answer> {
  const spy = spyOn(navigator.gpu);
  const changes: EngineDescription[] = [];
  const engine = await createEngine({
    ...options,
    prefer: 'gpu',
    surroundings: { secure: isSecureContext, gpu: spy.gpu },
    onChange: (description) => changes.push(description),
  });
  const first = engine.description;
  const sizes = [30, 31, 32, 33];
  const pending = sizes.map((slices) => engine.process(oddBlock(SHORT_BINS, slices, slices)));
  for (const device of spy.devices) device.destroy();
  const answers = await Promise.all(pending);
  await engine.dispose();
  return {
    kind: 'engine',
    descriptions: [first, ...changes],
    problems: answers.flatMap((moments, k) => problemsOf(moments, sizes[k] as number)),
  };
}

let steadySpy: ReturnType<typeof spyOn> | undefined;
let steadyEngine: Promise<GpuEngine> | undefined;

async function steady({ blocks }: Task & { kind: 'steady' }): Promise<Answer> {
  steadySpy ??= spyOn(navigator.gpu);
  steadyEngine ??= createGpuEngine(steadySpy.gpu, options);
  const engine = await steadyEngine;
  const block = oddBlock(SHORT_BINS, 4, 1);
  let left = blocks;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await engine.process(block);
  };
  await Promise.all(Array.from({ length: engine.depth }, lane));
  return { kind: 'steady', buffers: steadySpy.buffers };
}

function run(task: Task): Promise<Answer> {
  switch (task.kind) {
    case 'accuracy':
      return accuracy(task);
    case 'choose':
      return choose(task);
    case 'pool':
      return pool(task);
    case 'lose':
      return lose();
    case 'steady':
      return steady(task);
  }
}

self.addEventListener('message', ({ data }: MessageEvent<Task>) => {
  void run(data)
    .catch((error: unknown): Answer => ({ kind: 'failed', message: String(error) }))
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- workers have no origin to name
    .then((answer) => self.postMessage(answer));
});
