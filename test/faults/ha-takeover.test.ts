/**
 * A hot standby takes over within ten seconds from a bridge that was killed, frozen or stopped, nothing is lost or
 * published twice, and a bridge that wakes up stands by instead of taking the group back.
 */
import { expect, inject, onTestFinished, test } from 'vitest';
import type { Bridge } from '../e2e/haloscope.ts';
import { keptCommand, keptFolder } from '../e2e/kept.ts';
import { inMidFile, newNight } from './night.ts';
import { newRow, type Row } from './row.ts';

const FILES = 16;
const SLICES = 300;
const PACE_S = 1;
/** What is promised on a machine of its own; this one may be loaded, so what is asserted is twice that. */
const PROMISED_MS = 10_000;
const LIMIT_MS = 2 * PROMISED_MS;

/** Frozen and woken again at the end of the test, or its end would wait for it. */
function freeze({ process: { pid } }: Bridge): () => void {
  process.kill(pid, 'SIGSTOP');
  const wake = (): void => void process.kill(pid, 'SIGCONT');
  onTestFinished(wake);
  return wake;
}

/** Two bridges of one group; the first is the active one. */
async function pairOf(row: Row): Promise<[Bridge, Bridge]> {
  const active = await row.bridge();
  await active.until('the first bridge is active', ({ group }) => group?.role === 'active');
  const standby = await row.bridge('--data', await keptFolder());
  await standby.until('the second stands by', ({ group }) => group?.role === 'standby');
  await Promise.all([active.processor(), standby.processor()]);
  return [active, standby];
}

test.for(['SIGKILL', 'SIGSTOP', 'SIGTERM'] as const)(
  'the active bridge gets a %s in the middle of a file',
  async (how) => {
    const row = await newRow(inject('kafka')['3.4.0']);
    const night = await newNight(row, FILES, SLICES);
    const [active, standby] = await pairOf(row);
    const { sent } = night.send(PACE_S);
    await inMidFile(active, 3);

    const startMs = performance.now();
    const wake = how === 'SIGSTOP' ? freeze(active) : null;
    if (how !== 'SIGSTOP') await active.stop(how);
    await standby.until('the second publishes', ({ latest }) => latest !== null);
    const tookMs = performance.now() - startMs;
    process.stdout.write(`${how}: the standby has published after ${(tookMs / 1000).toFixed(1)} s\n`);
    expect(tookMs).toBeLessThan(LIMIT_MS);

    wake?.();
    if (how === 'SIGSTOP')
      await active.until('the first stands by', ({ group }) => group?.role === 'standby');
    await sent();
    expect(await row.problems(standby, night.outcome)).toEqual([]);
    // No fencing to and fro.
    expect((await standby.state()).alarms.map(({ code }) => code)).not.toContain('fenced');
    expect((await standby.state()).group?.role).toBe('active');
  },
);

test('a processor elsewhere goes from the bridge that was killed to the one that takes over', async () => {
  const row = await newRow(inject('kafka')['4.4.0']);
  const night = await newNight(row, FILES, SLICES);
  const active = await row.bridge('--processor', 'none');
  await active.until('the first bridge is active', ({ group }) => group?.role === 'active');
  const standby = await row.bridge('--data', await keptFolder(), '--processor', 'none');
  await standby.until('the second stands by', ({ group }) => group?.role === 'standby');
  keptCommand('process', active.url);
  await active.processor();
  const { sent } = night.send(PACE_S);
  await inMidFile(active, 3);
  await active.stop('SIGKILL');
  await standby.processor();
  await sent();
  expect(await row.problems(standby, night.outcome)).toEqual([]);
});
