/**
 * `npm run bench -- steady`: memory while thousands of whole files go through the engines, file by file as they come:
 * the CPU engine with its workers, and WebGPU where Dawn finds a real adapter.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { repository } from '../../scripts/machine.mjs';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import type { EngineBlock, SpectrumEngine } from '../../web/engine/engine.ts';
import { createGpuEngine } from '../../web/engine/gpu/engine.ts';
import { startNodeWorker } from '../../web/engine/pool-node.ts';
import { gaussian } from '../engine/accuracy.ts';
import { GROWTH_LIMIT_BYTES, runBlocks, type Usage, usage } from '../engine/steady.ts';
import { spyOn } from '../gpu/adapters.ts';
import { openDawn } from '../gpu/dawn.ts';
import { type Cell, printTable } from './table.ts';

const BINS = 3072;
/** A live block, and how many make a file of 2731 slices, give or take one. */
const SLICES = 160;
const BLOCKS_PER_FILE = 17;
/** Rows of the table. */
const STAGES = 8;
/**
 * Resident memory settles in the first stage; after that come and go blocks of 3.9 MB that workers are done with and
 * collect when they like, some 20 of them.
 */
const RESIDENT_LIMIT_BYTES = 80e6;

interface Row extends Usage {
  readonly files: number;
  readonly residentBytes: number;
  /** Made on the GPU so far. */
  readonly buffers: number | undefined;
}

/** @returns what has grown */
export async function benchSteady(files: number): Promise<string[]> {
  const worker = startNodeWorker(join(repository, 'dist', 'node', 'engine-worker.js'));
  const workers = availableParallelism();
  const cpu = await createCpuEngine({ bins: BINS, window: 'none', startWorker: worker, workers });
  const problems = await watch(cpu, files, undefined);
  const gpu = openDawn(false);
  const adapter = await gpu.requestAdapter();
  if (adapter === null || adapter.info.isFallbackAdapter) {
    console.log('\nno real GPU for Dawn here: its memory was not measured');
    return problems;
  }
  const spy = spyOn(gpu);
  const engine = await createGpuEngine(spy.gpu, { bins: BINS, window: 'none' });
  return [...problems, ...(await watch(engine, files, () => spy.buffers))];
}

async function watch(
  engine: SpectrumEngine,
  files: number,
  buffers: (() => number) | undefined,
): Promise<string[]> {
  const samples = gaussian(2 * SLICES * BINS, 1);
  const segments = [{ offset: 0, slices: SLICES }];
  const block = (): EngineBlock => ({ samples: samples.slice(), segments, clipLevel: Infinity });
  const stage = Math.max(1, Math.ceil(files / STAGES));
  const rows: Row[] = [];
  for (let done = 0; done < files; ) {
    await runBlocks(engine, stage * BLOCKS_PER_FILE, block);
    done += stage;
    const used = await usage();
    rows.push({ files: done, ...used, residentBytes: process.memoryUsage().rss, buffers: buffers?.() });
  }
  await engine.dispose();
  printTable(
    `${engine.description.name}: memory after so many files`,
    ['files', 'heap MB', 'array buffers MB', 'resident MB', 'GPU buffers made'],
    rows.map((row): Cell[] => [
      String(row.files),
      (row.heapBytes / 1e6).toFixed(2),
      (row.bufferBytes / 1e6).toFixed(0),
      (row.residentBytes / 1e6).toFixed(0),
      row.buffers === undefined ? '–' : String(row.buffers),
    ]),
  );
  return growth(engine.description.name, rows);
}

/** Against the first row, when everything has been made that is kept. */
function growth(name: string, rows: readonly Row[]): string[] {
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) return [];
  const heap = last.heapBytes - first.heapBytes;
  const resident = last.residentBytes - first.residentBytes;
  return [
    ...(heap > GROWTH_LIMIT_BYTES ? [`${name}: heap grew by ${heap} bytes`] : []),
    ...(resident > RESIDENT_LIMIT_BYTES ? [`${name}: resident memory grew by ${resident} bytes`] : []),
    ...(last.buffers === first.buffers ? [] : [`${name}: the number of GPU buffers grew`]),
  ];
}
