/**
 * What the faults fall upon: a broker behind a proxy, two bridges of one group, a page and a headless processor, a
 * viewer, a producer that follows a folder, and a DAQ that writes a small pair into it every second.
 */
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { pairFileName } from '../../bridge/protocol/pairs.ts';
import { type RunningKafka, startKafka } from '../broker/kafka.ts';
import { openPage } from '../browser/chromium.ts';
import { produceWords } from '../e2e/chain.ts';
import { type Bridge, freePort, type Haloscope, TOKEN } from '../e2e/haloscope.ts';
import { keptChromium, keptCommand, keptFolder } from '../e2e/kept.ts';
import { type Recording, record, writePair } from '../e2e/samples.ts';
import { type KafkaProxy, keptProxy, proxiedBrokers } from '../faults/proxy.ts';
import { newRow, type Row } from '../faults/row.ts';
import { ShuffledSender } from './sender.ts';

const BRIDGES = 2;
const SLICES = 60;
/** Of a small pair; brisk beside the 4.2 s of a real one, and slow enough for two shared cores. */
const PERIOD_MS = 1_000;

/** A bridge that comes back where it was. */
export interface Post {
  bridge: Bridge;
  readonly words: readonly string[];
}

export class Stage {
  readonly kafka: RunningKafka;
  readonly proxy: KafkaProxy;
  readonly row: Row;
  readonly sender: ShuffledSender;
  readonly posts: Post[] = [];
  /** What the DAQ has written. */
  readonly recordings: Recording[] = [];
  processor: Haloscope;
  producer: Haloscope;
  page: Page;
  readonly #browser: Browser;
  readonly #folder: string;
  #daq: Promise<void> = Promise.resolve();
  readonly #daqEnd = new AbortController();

  private constructor(of: {
    kafka: RunningKafka;
    proxy: KafkaProxy;
    row: Row;
    posts: Post[];
    browser: Browser;
    folder: string;
    page: Page;
  }) {
    this.kafka = of.kafka;
    this.proxy = of.proxy;
    this.row = of.row;
    this.posts.push(...of.posts);
    this.#browser = of.browser;
    this.#folder = of.folder;
    this.page = of.page;
    this.sender = new ShuffledSender(of.kafka.brokers, of.row.chain.topicIn);
    this.processor = this.newProcessor();
    this.producer = this.newProducer();
  }

  static async begin(): Promise<Stage> {
    const kafka = await startKafka({ version: '4.4.0' });
    onTestFinished(() => kafka.stop());
    const proxy = await keptProxy(kafka.proxied);
    const row = await newRow(kafka.brokers, proxiedBrokers(kafka.proxied));
    const posts: Post[] = [];
    for (let n = 0; n < BRIDGES; n++) {
      const listen = ['--listen', `127.0.0.1:${await freePort()}`, '--data', await keptFolder()];
      const words = [...listen, '--processor', 'auto'];
      posts.push({ bridge: await row.startBridge(...words), words });
    }
    const [first] = posts;
    if (first === undefined) throw new Error('expected a bridge');
    await first.bridge.ready();
    const browser = await keptChromium();
    const { page } = await openPage(browser, first.bridge.page('?role=processor'));
    await openPage(browser, first.bridge.page('?role=viewer'));
    const folder = await keptFolder();
    const stage = new Stage({ kafka, proxy, row, posts, browser, folder, page });
    stage.#daq = stage.#record();
    return stage;
  }

  /** At the first bridge, wherever the work is. */
  newProcessor(): Haloscope {
    return keptCommand('process', this.#address);
  }

  newProducer(): Haloscope {
    const words = produceWords(this.row.chain, this.#folder, 'night');
    return keptCommand(...words, '--follow', '--settle', '200ms', '--pace', 'max');
  }

  async newPage(): Promise<void> {
    this.page = (await openPage(this.#browser, `${this.#address}?role=processor#token=${TOKEN}`)).page;
  }

  get #address(): string {
    return (this.posts[0] as Post).bridge.url;
  }

  /** Starts a bridge again that has ended; it need not become ready while the broker is down. */
  async restart(post: Post): Promise<void> {
    post.bridge = await this.row.startBridge(...post.words);
  }

  /** When a result was last published by any bridge that answers; 0 before the first. */
  async lastPublishedMs(): Promise<number> {
    const states = await Promise.all(this.posts.map(({ bridge }) => stateOf(bridge)));
    return Math.max(0, ...states.map((utc) => (utc === null ? 0 : Date.parse(utc))));
  }

  /** Ends the DAQ; what it has written is still to be sent. */
  async endOfRun(): Promise<void> {
    this.#daqEnd.abort();
    await this.#daq;
  }

  async #record(): Promise<void> {
    const staging = join(this.#folder, 'staging');
    await mkdir(staging);
    for (let file = 1; !this.#daqEnd.signal.aborted; file++) {
      const recording = record(file, SLICES);
      await writePair(staging, recording);
      for (const channel of ['i', 'q'] as const) {
        const name = pairFileName(channel, file);
        await rename(join(staging, name), join(this.#folder, name));
      }
      this.recordings.push(recording);
      await sleep(PERIOD_MS);
    }
  }
}

const ANSWER_MS = 2_000;

async function stateOf({ url }: Bridge): Promise<string | null> {
  try {
    const response = await fetch(new URL('api/state', url), { signal: AbortSignal.timeout(ANSWER_MS) });
    const { latest } = (await response.json()) as { latest: { publishedUtc: string } | null };
    return latest?.publishedUtc ?? null;
  } catch {
    // Down, frozen, or on its way up.
    return null;
  }
}
