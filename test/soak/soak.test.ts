/**
 * Random faults against a live pipeline, drawn from a seed: after each the next result must come, and at the end
 * the common check. `npm run soak -- --seed S --minutes M` runs it for longer than the tests do.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { inject } from './faults.ts';
import { Random } from './random.ts';
import { describe, type Kind, scheduleOf } from './schedule.ts';
import { Stage } from './stage.ts';

const seed = Number(process.env['SOAK_SEED'] ?? 1);
const minutes = Number(process.env['SOAK_MINUTES'] ?? 1);

const MINUTE_MS = 60_000;
/** To start everything, for the file that is given up after a minute, and to check. */
const AROUND_MS = 12 * MINUTE_MS;
/** A fault that costs a session, a lease and some backing off is over long before, on a machine that is busy. */
const RECOVERY_MS = 90_000;
const POLL_MS = 100;
const HOLE_MS = 3 * MINUTE_MS;

const say = (line: string): void => void process.stdout.write(`soak: ${line}\n`);

/** Milliseconds from the end of a fault to the next result. */
async function recovered(stage: Stage, what: string): Promise<number> {
  const endedMs = Date.now();
  while (Date.now() < endedMs + RECOVERY_MS) {
    const publishedMs = await stage.lastPublishedMs();
    if (publishedMs > endedMs) return publishedMs - endedMs;
    await sleep(POLL_MS);
  }
  const logs = stage.posts.map(({ bridge }) => bridge.process.stderr.slice(-3000)).join('\n──\n');
  throw new Error(
    `no result within ${RECOVERY_MS / 1000} s of: ${what}\n${logs}\n── producer\n${stage.producer.stderr.slice(-1500)}`,
  );
}

const median = (sorted: readonly number[]): number => sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;

function report(recoveries: ReadonlyMap<Kind, readonly number[]>): void {
  const all = [...recoveries.values()].flat();
  say(`${all.length} faults of ${recoveries.size} kinds; recovery in s, median and most:`);
  for (const [kind, each] of [...recoveries].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const sorted = each.toSorted((a, b) => a - b).map((ms) => ms / 1000);
    say(
      `  ${kind.padEnd(16)} ${each.length} ×  ${median(sorted).toFixed(1)}  ${(sorted.at(-1) ?? 0).toFixed(1)}`,
    );
  }
}

test(`seed ${seed}, ${minutes} min`, { timeout: AROUND_MS + 3 * minutes * MINUTE_MS }, async () => {
  const faults = scheduleOf(seed, minutes);
  say(
    `seed ${seed}, ${minutes} min: ${faults
      .slice(0, 18)
      .map(({ kind }) => kind)
      .join(', ')} …`,
  );
  const stage = await Stage.begin();
  await stage.sender.hole(new Random(seed));
  await recovered(stage, 'the beginning');

  const recoveries = new Map<Kind, number[]>();
  const endMs = Date.now() + minutes * MINUTE_MS;
  for (const fault of faults) {
    if (Date.now() > endMs) break;
    await sleep(fault.afterMs);
    say(describe(fault));
    await inject(stage, fault);
    const ms = await recovered(stage, describe(fault));
    recoveries.set(fault.kind, [...(recoveries.get(fault.kind) ?? []), ms]);
  }

  await stage.endOfRun();
  report(recoveries);
  const [first, ...others] = stage.posts;
  if (first === undefined) throw new Error('expected a bridge');
  for (const { bridge } of others) await bridge.stop();
  const { recordings, sender } = stage;
  const hopeless = Object.keys(sender.incomplete);
  await first.bridge.until(
    'what can never be complete is given up',
    ({ incomplete }) => hopeless.every((name) => incomplete.some(({ run }) => run === name)),
    HOLE_MS,
  );
  const complete = {
    night: recordings,
    ...(sender.recordings.length > 0 ? { shuffled: sender.recordings } : {}),
  };
  const problems = await stage.row.problems(first.bridge, { complete, incomplete: sender.incomplete });
  say(`${recordings.length + sender.recordings.length} files, ${problems.length} problems`);
  expect(problems).toEqual([]);
});
