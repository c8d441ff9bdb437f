/**
 * `npm start`: installs and builds what is missing or old, then serves. Arguments go to `haloscope serve`:
 * `npm start -- --folder DIR`.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensureBuild, ensurePackages, requireNode } from './install.mjs';
import { repository } from './machine.mjs';

requireNode();
ensurePackages();
ensureBuild();

const command = join(repository, 'dist', 'node', 'haloscope.js');
const child = spawn(process.execPath, [command, 'serve', ...process.argv.slice(2)], { stdio: 'inherit' });
// The server finishes the file in hand and ends by itself; this process only waits for it. Ctrl-C in a terminal
// reaches the server without help, and a second one would mean impatience.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on('exit', (status, signal) => {
  process.exitCode = status ?? (signal === null ? 1 : 128);
});
