/** Virtual environments of Python under `.cache`, for readers and benchmarks that are not ours. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findPython, repository } from '../scripts/machine.mjs';

/** What is installed, and the modules by which one sees that it is. */
export interface Venv {
  readonly name: string;
  readonly packages: readonly string[];
  readonly modules: readonly string[];
}

/**
 * Its Python, made when there is none.
 * @returns undefined where this machine has no Python at all
 * @throws where it has one, but the packages cannot be installed
 */
export async function venvPython({ name, packages, modules }: Venv): Promise<string | undefined> {
  const folder = join(repository, '.cache', name);
  const python = join(folder, 'bin', 'python');
  const imports = ['-c', `import ${modules.join(', ')}`];
  const works = (): boolean =>
    existsSync(python) && spawnSync(python, imports, { stdio: 'ignore' }).status === 0;
  if (works()) return python;
  const system = findPython();
  if (system === undefined) return undefined;
  await rm(folder, { recursive: true, force: true });
  spawnSync(system, ['-m', 'venv', folder], { stdio: 'inherit' });
  spawnSync(python, ['-m', 'pip', 'install', '-q', ...packages], { stdio: 'inherit' });
  if (!works()) throw new Error(`${system}: ${packages.join(', ')} could not be installed in ${folder}`);
  return python;
}
