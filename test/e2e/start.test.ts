/** `npm start` as the README says it: nothing configured, a simulated DAQ, a spectrum within seconds. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { repository } from '../../scripts/machine.mjs';
import { openPage } from '../browser/chromium.ts';
import { until } from './haloscope.ts';
import { keptChromium, keptFolder } from './kept.ts';

/** «Within seconds of the page opening»: a file takes 4.2 s, and a quarter of it is enough for a first line. */
const FIRST_SPECTRUM_MS = 5000;
const START_TIMEOUT_MS = 60_000;
/** The contract of SIGINT. */
const STOP_MS = 10_000;

test('npm start serves a live spectrum, and Ctrl-C ends it in time', async () => {
  const words = ['start', '--', '--listen', '127.0.0.1:0', '--data', await keptFolder()];
  const npm = spawn('npm', words, { cwd: repository, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const signalAll = (signal: NodeJS.Signals): void => {
    if (npm.pid !== undefined && npm.exitCode === null && npm.signalCode === null)
      process.kill(-npm.pid, signal);
  };
  onTestFinished(() => signalAll('SIGKILL'));
  let output = '';
  npm.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  npm.stderr.resume();
  const url = await until(
    'npm start says which URL to open',
    () => Promise.resolve(/^open (\S+)$/m.exec(output)?.[1]),
    START_TIMEOUT_MS,
  );
  const browser = await keptChromium();
  const { page, errors } = await openPage(browser, url);
  const opened = performance.now();
  const legend = page.locator('.legend-entry.progress .legend-exposure');
  await until(
    'a spectrum is shown',
    async () => (/n [1-9]/.test((await legend.textContent()) ?? '') ? true : undefined),
    FIRST_SPECTRUM_MS,
  );
  expect(performance.now() - opened).toBeLessThan(FIRST_SPECTRUM_MS);
  expect(errors).toEqual([]);
  await page.close();
  // What npm says of a Ctrl-C differs between its versions; that the server ends, in time, does not. It holds the
  // other end of this pipe.
  const ended = once(npm.stdout, 'close');
  const stopped = performance.now();
  signalAll('SIGINT');
  await ended;
  expect(performance.now() - stopped).toBeLessThan(STOP_MS);
  await expect(fetch(url)).rejects.toThrow('fetch failed');
});
