/**
 * The engines of this machine, measured one after the other: WebAssembly and TypeScript here, WebGPU in a process of
 * its own, because a driver that fails takes its process with it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type EngineMeasurement, measureEngine } from '../../../web/engine/measure.ts';
import type { DoctorOptions } from '../../config/options.ts';
import { NOMINAL_SAMPLES_PER_FILE, DEFAULT_SAMPLE_RATE_HZ } from '../../protocol/geometry.ts';
import type { EngineRow, Health } from './report.ts';

/** Of blocks, per engine; with making them and their self-tests that comes to two seconds in all. */
const BUDGET_MS = 300;
/** Compiling takes up to 10 s on a software adapter. */
const DAWN_LIMIT_MS = 60_000;
/** A file lasts 4.2 s; an engine with less than twice that speed never works off a backlog. */
const FILE_MS = (1000 * NOMINAL_SAMPLES_PER_FILE) / DEFAULT_SAMPLE_RATE_HZ;
const LEAST_HEADROOM = 2;

const DAWN_CHILD = join(dirname(fileURLToPath(import.meta.url)), 'doctor-dawn.js');

/** What the child prints. */
export type DawnAnswer = EngineMeasurement;

export async function examineEngines({ bins, software }: DoctorOptions): Promise<EngineRow[]> {
  const options = { bins, window: 'none', budgetMs: BUDGET_MS, software } as const;
  const rows = [row(await measureEngine('wasm', options))];
  rows.push(row(await measureEngine('wasm-one', options)), row(await measureEngine('ts-one', options)));
  const works = rows.some(({ trouble }) => trouble === null);
  return [gpuRow(await measureDawn(bins, software)), ...rows].map((it) =>
    it.health === 'note' && !works ? { ...it, health: 'bad' } : it,
  );
}

const isTooSlow = ({ msPerFile }: EngineMeasurement): boolean =>
  msPerFile !== null && msPerFile * LEAST_HEADROOM > FILE_MS;

function row(measured: EngineMeasurement): EngineRow {
  if (measured.trouble !== null) {
    return { ...measured, health: 'note', advice: 'a Node or processor without it; the next engine is used' };
  }
  const slow = isTooSlow(measured);
  return {
    ...measured,
    health: slow ? 'note' : 'well',
    advice: slow ? 'too slow for live data with a backlog: compute in a browser on a faster machine' : null,
  };
}

/** No GPU in Node is how it should be: pages have WebGPU, and the headless processor does without. */
function gpuRow(measured: EngineMeasurement): EngineRow {
  const health: Health = 'well';
  const advice =
    measured.trouble === null
      ? null
      : measured.isSoftware
        ? '--software measures it all the same'
        : 'GPUs are used in the browser: open the page there and press E';
  return { ...measured, health, advice };
}

const unmeasured = (name: string, trouble: string): EngineMeasurement => ({
  candidate: 'gpu',
  kind: 'gpu',
  name,
  trouble,
  isSoftware: false,
  msPerFile: null,
  mbPerSecond: null,
  gpuMsPerFile: null,
});

const NAME = 'Dawn in Node: WebGPU';

/** Whether the package is there; it is needed to develop and test, not to run. */
function isInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('webgpu');
    return true;
  } catch {
    return false;
  }
}

async function measureDawn(bins: number, software: boolean): Promise<EngineMeasurement> {
  if (!isInstalled()) return unmeasured(NAME, 'the npm package webgpu is not installed, and need not be');
  if (!existsSync(DAWN_CHILD)) return unmeasured(NAME, 'only the built program measures it: npm run build');
  const child = spawn(process.execPath, [DAWN_CHILD, String(bins), String(software)], {
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: DAWN_LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
  try {
    return { ...(JSON.parse(output) as DawnAnswer) };
  } catch {
    return unmeasured(NAME, `Dawn or its driver failed (${signal ?? `status ${status}`})`);
  }
}
