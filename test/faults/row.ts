/**
 * A row of the list of failures: a chain on Kafka of its own, the bridges that live on it, and the check that every
 * row ends with.
 *
 *   const row = await newRow(brokers);
 *   const bridge = await row.bridge('--run', 'night');
 *   … produce, and the fault …
 *   expect(await row.problems(bridge, { complete: { night: recordings } })).toEqual([]);
 */
import { type Chain, newChain, serveChain } from '../e2e/chain.ts';
import { fileProblems, runProblems } from '../e2e/exports.ts';
import { type Bridge, until } from '../e2e/haloscope.ts';
import { keptBridge, keptFolder, keptReader } from '../e2e/kept.ts';
import { problemsIn } from '../e2e/results.ts';
import { type Expected, expectedOf, type Recording } from '../e2e/samples.ts';
import { BRIDGE_PEAK_BYTES, MemoryWatch } from './memory.ts';

/** A fault may cost a session timeout, a lease and some backing off; a busy machine doubles that. */
const SETTLE_MS = 90_000;

/** A bridge takes a broker for gone after 15 s without an answer. */
const NOTICE_MS = 60_000;

/** What has to be there when everything has calmed down. */
export interface Outcome {
  /** Files that have all their slices, by the run under which they are published. */
  readonly complete: Readonly<Record<string, readonly Recording[]>>;
  /** Numbers of the files that must be listed as incomplete, by run; none unless given. */
  readonly incomplete?: Readonly<Record<string, readonly number[]>>;
}

/** The reference, by run. */
type ExpectedRuns = Readonly<Record<string, readonly Expected[]>>;

/** What every row has: bridges that are watched, and the final check. */
abstract class WatchedRow {
  readonly #watches: MemoryWatch[] = [];

  /** Holds a bridge to its bound of memory. */
  watched(bridge: Bridge): Bridge {
    this.#watches.push(new MemoryWatch(bridge.process));
    return bridge;
  }

  /**
   * The final check: everything that is wrong, in words. The output holds the complete files, each once, each bin as
   * in the reference; the average over the newest run holds each of them once; the incomplete files are listed, and
   * no other; every bridge of the row kept within its memory.
   * @param bridge the one that is active at the end
   */
  async problems(bridge: Bridge, { complete, incomplete = {} }: Outcome): Promise<string[]> {
    const expected = Object.fromEntries(
      Object.entries(complete).map(([run, recordings]) => [run, recordings.map(expectedOf)]),
    );
    return [
      ...(await this.publishedProblems(bridge, expected)),
      ...(await incompleteProblems(bridge, incomplete)),
      ...(await newestRunProblems(bridge, expected)),
      ...(await this.#memoryProblems()),
    ];
  }

  protected abstract publishedProblems(bridge: Bridge, expected: ExpectedRuns): Promise<string[]>;

  async #memoryProblems(): Promise<string[]> {
    const peaks = await Promise.all(this.#watches.map((watch) => watch.peak()));
    return peaks
      .filter((peak) => peak > BRIDGE_PEAK_BYTES)
      .map((peak) => `a bridge had ${peak / 1e6} MB resident; expected at most ${BRIDGE_PEAK_BYTES / 1e6}`);
  }
}

/** A row on Kafka: `results` is read committed. */
export class Row extends WatchedRow {
  readonly chain: Chain;

  constructor(chain: Chain) {
    super();
    this.chain = chain;
  }

  /** A further bridge on the chain, ready, with a headless processor unless `--processor` says otherwise. */
  async bridge(...words: string[]): Promise<Bridge> {
    return this.watched(await serveChain(this.chain, ...withProcessor(words)));
  }

  /** The same, not waiting until it is ready. */
  async startBridge(...words: string[]): Promise<Bridge> {
    return this.watched(await keptBridge(...this.chain.words, ...withProcessor(words)));
  }

  protected override async publishedProblems(_bridge: Bridge, expected: ExpectedRuns): Promise<string[]> {
    const count = Object.values(expected).reduce((sum, files) => sum + files.length, 0);
    const reader = await keptReader(this.chain.brokers, this.chain.topicOut);
    return problemsIn(await reader.first(count, SETTLE_MS), expected);
  }
}

/** A row without Kafka: a folder, and the embedded store, of which the bridge itself tells. One run. */
export class EmbeddedRow extends WatchedRow {
  readonly folder: string;
  readonly #data: string;

  constructor(folder: string, data: string) {
    super();
    this.folder = folder;
    this.#data = data;
  }

  async bridge(...words: string[]): Promise<Bridge> {
    const where = ['--folder', this.folder, '--data', this.#data];
    return this.watched(await keptBridge(...where, ...withProcessor(words)));
  }

  protected override async publishedProblems(bridge: Bridge, expected: ExpectedRuns): Promise<string[]> {
    const problems: string[] = [];
    for (const [run, files] of Object.entries(expected)) {
      const isDone = (done: { name: string; filesDone: number }): boolean =>
        done.name === run && done.filesDone === files.length;
      await bridge.until(`${files.length} files of ${run} are done`, (state) => isDone(state.run), SETTLE_MS);
      problems.push(...(await fileProblems(bridge, run, files)));
    }
    return problems;
  }
}

/** @param bridgeBrokers where the bridges look for the brokers, unless at the same place as the test */
export async function newRow(brokers: string, bridgeBrokers = brokers): Promise<Row> {
  return new Row(await newChain(brokers, bridgeBrokers));
}

/** Waits until the bridge has noticed that its input or output is not to be reached. */
export const notReady = (bridge: Bridge): Promise<unknown> =>
  until(
    'the bridge is not ready',
    async () => ((await bridge.get('readyz')).status === 503 ? true : undefined),
    NOTICE_MS,
  );

export const newEmbeddedRow = async (): Promise<EmbeddedRow> =>
  new EmbeddedRow(await keptFolder(), await keptFolder());

const withProcessor = (words: readonly string[]): readonly string[] =>
  words.includes('--processor') ? words : ['--processor', 'always', ...words];

async function incompleteProblems(
  bridge: Bridge,
  expected: Readonly<Record<string, readonly number[]>>,
): Promise<string[]> {
  const wanted = Object.entries(expected)
    .flatMap(([run, files]) => files.map((file) => `${run}/${file}`))
    .toSorted()
    .join(' ');
  const listed = (list: readonly { run: string; file: number }[]): string =>
    list
      .map(({ run, file }) => `${run}/${file}`)
      .toSorted()
      .join(' ');
  try {
    await bridge.until('the incomplete files are listed', (state) => listed(state.incomplete) === wanted);
    return [];
  } catch {
    const found = listed((await bridge.state()).incomplete);
    return [`listed as incomplete: ${found || 'none'}; expected: ${wanted || 'none'}`];
  }
}

/** The run-wide average of the run that the bridge published to last. */
async function newestRunProblems(bridge: Bridge, expected: ExpectedRuns): Promise<string[]> {
  const { name } = (await bridge.state()).run;
  const files = expected[name] ?? [];
  return files.length === 0 ? [] : runProblems(bridge, name, files);
}
