/** Runs contestants in a browser that nobody drives: tells the server what came out, and is told what is next. */
import { aroundSlices, ourEngine, type Pair, pffft, type Runner } from '../contest.ts';
import type { PageAnswer, PageTask } from '../engine-chromium.ts';

const bins = Number(new URLSearchParams(self.name).get('bins'));
const runners = new Map<PageTask, Promise<Runner>>();

const make = async (task: PageTask, pair: Pair): Promise<Runner> =>
  task === 'pffft' ? aroundSlices(pair, await pffft(bins)) : ourEngine(pair, task);

async function answer(task: PageTask, pair: Pair): Promise<PageAnswer> {
  const runner = runners.get(task) ?? make(task, pair);
  runners.set(task, runner);
  const { name, round } = await runner;
  const { ms, mean, std } = await round();
  return { name, ms, mean: Array.from(mean), std: Array.from(std) };
}

async function work(): Promise<never> {
  const samples = new Float32Array(await (await fetch('/samples')).arrayBuffer());
  let last: PageAnswer | { readonly failed: string } | null = null;
  for (;;) {
    const response = await fetch('/next', { method: 'POST', body: JSON.stringify(last) });
    const task = (await response.json()) as PageTask;
    last = await answer(task, { samples, bins }).catch((error: unknown) => ({ failed: String(error) }));
  }
}

void work();
