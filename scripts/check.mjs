/**
 * `npm run check`: format, lint, import directions, types, dead code. Runs every check even when one fails, so
 * that one run names everything there is to do.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensurePackages } from './install.mjs';
import { repository } from './machine.mjs';

/** @type {readonly { name: string, command: readonly string[] }[]} */
const CHECKS = [
  { name: 'format', command: ['biome', 'format'] },
  { name: 'lint', command: ['oxlint', '--deny-warnings'] },
  { name: 'import directions', command: ['node', 'scripts/check-imports.mjs'] },
  { name: 'types', command: ['tsc', '--noEmit', '-p', '.'] },
  { name: 'dead code', command: ['knip', '--treat-config-hints-as-errors'] },
];

ensurePackages();
const failed = CHECKS.filter(({ name, command: [program = '', ...rest] }) => {
  console.log(`\n── ${name}`);
  const path = program === 'node' ? process.execPath : join(repository, 'node_modules', '.bin', program);
  const { status, error } = spawnSync(path, rest, { cwd: repository, stdio: 'inherit' });
  if (error !== undefined) console.error(`${program}: ${error.message}`);
  return status !== 0;
});
const summary = failed.map(({ name }) => name).join(', ');
console.log(failed.length === 0 ? '\nall checks passed' : `\nchecks that failed: ${summary}`);
process.exitCode = failed.length === 0 ? 0 : 1;
