/**
 * Chromium started by itself: a debugging protocol makes WebSocket traffic several times slower. The page reports
 * through the bridge's state.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromiumPath, QUIET_FLAGS } from '../browser/chromium.ts';

export interface PlainChromium {
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startPlainChromium(url: string): Promise<PlainChromium> {
  const profile = await mkdtemp(join(tmpdir(), 'haloscope-chromium-'));
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const flags = ['--headless=new', `--user-data-dir=${profile}`, ...QUIET_FLAGS, ...sandbox];
  // A process group of its own, so that its children end with it.
  const child = spawn(chromiumPath(), [...flags, url], { stdio: 'ignore', detached: true });
  const { pid } = child;
  if (pid === undefined) throw new Error('Chromium did not start');
  const killGroup = (): void => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-pid, 'SIGKILL');
  };
  process.once('exit', killGroup);
  return {
    pid,
    stop: async () => {
      const gone = once(child, 'exit');
      process.removeListener('exit', killGroup);
      killGroup();
      await gone;
      await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}
