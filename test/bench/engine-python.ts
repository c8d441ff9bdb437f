/** Contestants in one Python process, which is told by name whose round it is. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { repository } from '../../scripts/machine.mjs';
import { type Contestant, PAIRS_PER_ROUND, type Round } from './contest.ts';

interface Listed {
  readonly name: string;
  readonly family: string;
  readonly cores: number;
  /** Slices at a time, by trying. */
  readonly chunk: number;
}

/** BLAS is not used, and must not start threads either. */
const ONE_THREAD = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };

/** FFTW's wheel is not there for every Python: without it its rows are absent, and the table says so. */
function ensurePyfftw(python: string): void {
  const works = (): boolean => spawnSync(python, ['-c', 'import pyfftw'], { stdio: 'ignore' }).status === 0;
  if (works()) return;
  spawnSync(python, ['-m', 'pip', 'install', '-q', 'pyfftw'], { stdio: 'inherit' });
  if (!works()) console.log('pyfftw could not be installed: the rows for FFTW are left out');
}

export async function pythonContestants(
  python: string,
  samples: string,
  bins: number,
): Promise<Contestant[]> {
  ensurePyfftw(python);
  const words = ['--samples', samples, '--bins', String(bins), '--pairs', String(PAIRS_PER_ROUND)];
  const child = spawn(python, [join(repository, 'test', 'bench', 'spectra.py'), ...words], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...ONE_THREAD },
  });
  const gone = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<unknown> => {
    const { done, value } = await lines.next();
    if (done) throw new Error('Python ended before it had answered; its reason is above');
    return JSON.parse(value) as unknown;
  };
  const listed = (await read()) as Listed[];
  return listed.map(({ name, family, cores, chunk }) => ({
    name: `${name}, ${chunk} at a time`,
    family,
    cores,
    where: 'Python',
    isOurs: false,
    round: async () => {
      child.stdin.write(`${name}\n`);
      return (await read()) as Round;
    },
    stop: async () => {
      child.stdin.end();
      await gone;
    },
  }));
}
