/** The same job by CuPy: cuFFT, or VkFFT, and passes of its own for |X|² and the moments; in a process of its own. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { findPython, repository } from '../../scripts/machine.mjs';

export interface CufftRow {
  readonly name: string;
  readonly msPerPair: number;
  /** Worst relative error of mean and std against float64. */
  readonly error: number;
}

export interface CufftJob {
  readonly bins: number;
  readonly slices: number;
  readonly pairs: number;
}

const LIMIT_MS = 300_000;

/** One row per library that is there; says which are not, and why. */
export async function cufftRows({ bins, slices, pairs }: CufftJob): Promise<CufftRow[]> {
  const python = findPython();
  if (python === undefined) {
    console.log('no python3 in PATH: no comparison with cuFFT');
    return [];
  }
  const script = join(repository, 'test', 'bench', 'cufft.py');
  const words = ['--bins', bins, '--slices', slices, '--pairs', pairs].map(String);
  const { stdout, stderr, status } = spawnSync(python, [script, ...words], {
    encoding: 'utf8',
    timeout: LIMIT_MS,
  });
  if (status !== 0) {
    console.log(`no comparison with cuFFT: ${stderr.trim().split('\n').at(-1) ?? `status ${status}`}`);
    return [];
  }
  const rows: CufftRow[] = [];
  for (const line of stdout.trim().split('\n')) {
    const found = JSON.parse(line) as CufftRow | { readonly missing: string };
    if ('missing' in found) console.log(`not compared: ${found.missing}`);
    else rows.push(found);
  }
  return rows;
}
