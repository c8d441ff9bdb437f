/** A chain on Kafka with names of its own: topics, group, data folder. */
import { randomUUID } from 'node:crypto';
import type { Bridge } from './haloscope.ts';
import { keptBridge, keptFolder } from './kept.ts';

export interface Chain {
  /** As the test itself reaches them, past any fault. */
  readonly brokers: string;
  readonly topicIn: string;
  readonly topicOut: string;
  /** Words for `serve` that name broker, topics, group and folder. */
  readonly words: readonly string[];
}

/** @param bridgeBrokers where the bridge looks for the brokers, unless at the same place as the test */
export async function newChain(brokers: string, bridgeBrokers = brokers): Promise<Chain> {
  const id = randomUUID().slice(0, 8);
  const topicIn = `chunk_data-${id}`;
  const topicOut = `results-${id}`;
  const topics = ['--topic-in', topicIn, '--topic-out', topicOut, '--group', `g-${id}`];
  const words = ['--brokers', bridgeBrokers, ...topics, '--data', await keptFolder()];
  return { brokers, topicIn, topicOut, words };
}

/** A bridge on this chain, with its topics there. */
export async function serveChain(chain: Chain, ...words: string[]): Promise<Bridge> {
  const bridge = await keptBridge(...chain.words, ...words);
  await bridge.ready();
  return bridge;
}

/** Words for `produce` that send a folder into this chain. */
export const produceWords = (chain: Chain, folder: string, run: string): string[] => [
  'produce',
  folder,
  '--brokers',
  chain.brokers,
  '--topic',
  chain.topicIn,
  '--run',
  run,
];
