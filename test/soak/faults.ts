/** Each kind of fault: done to the stage, and undone. Resolves when nothing is in the way of the data any more. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Haloscope } from '../e2e/haloscope.ts';
import { Random } from './random.ts';
import type { Fault, Kind } from './schedule.ts';
import type { Post, Stage } from './stage.ts';

/** A result is published every second, so an answer to lose comes soon. */
const LOST_WITHIN_MS = 10_000;
/** A page on a machine that is busy. */
const PAGE_MS = 60_000;

/** Added to each frame while the network is slow. */
const LATENCY_MS = 150;

type Inject = (stage: Stage, fault: Fault, random: Random) => Promise<void>;

const anyPost = ({ posts }: Stage, random: Random): Post => posts[random.below(posts.length)] as Post;

async function frozen(process: Haloscope, forMs: number): Promise<void> {
  const { pid } = process;
  if (!process.isRunning) return;
  globalThis.process.kill(pid, 'SIGSTOP');
  await sleep(forMs);
  if (process.isRunning) globalThis.process.kill(pid, 'SIGCONT');
}

const endBridge =
  (signal: 'SIGKILL' | 'SIGTERM'): Inject =>
  async (stage, { lastsMs }, random) => {
    const post = anyPost(stage, random);
    await post.bridge.stop(signal);
    await sleep(lastsMs);
    await stage.restart(post);
  };

const endBroker =
  (signal: 'SIGKILL' | 'SIGTERM'): Inject =>
  async ({ kafka }, { lastsMs }) => {
    await kafka.kill(signal);
    await sleep(lastsMs);
    await kafka.restart();
  };

const endProcessor =
  (signal: 'SIGKILL' | 'SIGTERM'): Inject =>
  async (stage, { lastsMs }) => {
    await stage.processor.stop(signal);
    await sleep(lastsMs);
    stage.processor = stage.newProcessor();
  };

const INJECT: Readonly<Record<Kind, Inject>> = {
  'kill bridge': endBridge('SIGKILL'),
  'term bridge': endBridge('SIGTERM'),
  'stop bridge': (stage, { lastsMs }, random) => frozen(anyPost(stage, random).bridge.process, lastsMs),
  'kill broker': endBroker('SIGKILL'),
  'term broker': endBroker('SIGTERM'),
  'stop broker': async ({ kafka }, { lastsMs }) => {
    kafka.pause();
    await sleep(lastsMs);
    kafka.resume();
  },
  'kill processor': endProcessor('SIGKILL'),
  'term processor': endProcessor('SIGTERM'),
  'stop processor': ({ processor }, { lastsMs }) => frozen(processor, lastsMs),
  'kill producer': async (stage, { lastsMs }) => {
    await stage.producer.stop('SIGKILL');
    await sleep(lastsMs);
    stage.producer = stage.newProducer();
  },
  'reload page': async ({ page }) => {
    await page.reload({ timeout: PAGE_MS });
  },
  'close page': async (stage, { lastsMs }) => {
    await stage.page.close();
    await sleep(lastsMs);
    await stage.newPage();
  },
  latency: async ({ proxy }, { lastsMs }) => {
    proxy.latencyMs = LATENCY_MS;
    await sleep(lastsMs);
    proxy.latencyMs = 0;
  },
  reset: ({ proxy }) => {
    proxy.reset();
    return Promise.resolve();
  },
  'black hole': async ({ proxy }, { lastsMs }) => {
    proxy.blackHole();
    await sleep(lastsMs);
    proxy.heal();
  },
  'lost answer': async ({ proxy }, _, random) => {
    const api = (['Produce', 'EndTxn'] as const)[random.below(2)] ?? 'Produce';
    // With every bridge busy coming back none may be asked for; the trap then waits for the next.
    await Promise.race([proxy.loseResponse(api, 'reset').caught, sleep(LOST_WITHIN_MS)]);
  },
  shuffled: ({ sender }, _, random) => sender.file(random),
  rubbish: ({ sender }, _, random) => sender.rubbish(random),
};

export const inject = (stage: Stage, fault: Fault): Promise<void> =>
  INJECT[fault.kind](stage, fault, new Random(fault.seed));
