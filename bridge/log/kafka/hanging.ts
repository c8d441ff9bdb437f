/**
 * Transactions that hang: decided by the coordinator, but without a marker in some partition.
 *
 * A broker that dies within milliseconds after a commit has the decision on disk and not yet all markers. When it
 * starts again it writes them, but skips partitions whose topic it has not loaded yet, and calls the transaction
 * complete ("Couldn't find leader endpoint … can be skipped"; seen with 4.4.0 after kill -9 of the only broker). From
 * then on readers of committed records see nothing new in these partitions, for ever, and the newest progress would
 * seem to be an older one.
 *
 * The cure is a marker. Its transaction is complete for the coordinator, so the next one of the same producer writes
 * it: partitions are added, nothing is sent, and the end of the transaction marks all of them. It is a commit,
 * because the one that hangs was either acknowledged, or its outcome was unknown to its owner, who had then to ask.
 * Only where another partition already has an abort marker of the same epoch is nothing done.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { LogError } from '../port.ts';
import { KafkaClient, type KafkaClientOptions } from './client.ts';
import { clusterOf, isAbortMarker, type TopicReader } from './reader.ts';

/** Markers of a settled transaction are on their way for milliseconds; on a busy broker for longer. */
const MARKERS_MS = 3_000;
const POLL_MS = 50;
/** Offsets at a partition's end in which the last marker lies: a result, its marker, and some that were aborted. */
const TAIL_OFFSETS = 16;
const TRANSACTION_COORDINATOR = 1;
const ATTEMPTS = 20;

/** A partition with records that are neither committed nor aborted. */
export interface Hanging {
  readonly topic: string;
  readonly partition: number;
  readonly producerId: string;
  readonly producerEpoch: number;
}

/** What kafkajs's brokers can do beyond their types. */
interface TransactionCoordinator {
  initProducerId(request: {
    transactionalId: string;
    transactionTimeout: number;
  }): Promise<{ producerId: string; producerEpoch: number }>;
  addPartitionsToTxn(
    request: TransactionRequest & { topics: readonly { topic: string; partitions: readonly number[] }[] },
  ): Promise<unknown>;
  endTxn(request: TransactionRequest & { transactionResult: boolean }): Promise<unknown>;
}

interface TransactionRequest {
  readonly transactionalId: string;
  readonly producerId: string;
  readonly producerEpoch: number;
}

/**
 * Waits until whatever was written before now is committed or aborted, so that a reader of committed records misses
 * none of it; answers with the partitions where it is not. Other bridges may write all the while: what they begin
 * later is not waited for.
 */
export async function hangingIn(readers: readonly TopicReader[]): Promise<Hanging[]> {
  const ends = await Promise.all(readers.map(endsOf));
  for (const deadline = performance.now() + MARKERS_MS; ; await sleep(POLL_MS)) {
    const open = await Promise.all(readers.map((reader, i) => openIn(reader, ends[i] ?? new Map())));
    if (open.flat().length === 0 || performance.now() > deadline) return open.flat();
  }
}

/**
 * Commits what hangs, as the owner of `transactionalId`. Fences every producer of that id.
 * @throws {LogError} `unavailable` where it is another producer's, or was aborted elsewhere
 */
export async function endHanging(
  options: KafkaClientOptions,
  transactionalId: string,
  hanging: readonly Hanging[],
  readers: readonly TopicReader[],
): Promise<void> {
  if (await abortedElsewhere(hanging, readers))
    throw cannotEnd(hanging, 'it was aborted in another partition');
  const client = new KafkaClient(options);
  try {
    const cluster = clusterOf(client, 'any');
    await cluster.connect();
    await cluster.refreshMetadata();
    const group = { groupId: transactionalId, coordinatorType: TRANSACTION_COORDINATOR };
    const coordinator = (await cluster.findGroupCoordinator(group)) as unknown as TransactionCoordinator;
    const producer = await again(() =>
      coordinator.initProducerId({ transactionalId, transactionTimeout: 10_000 }),
    );
    if (hanging.some(({ producerId }) => producerId !== producer.producerId)) {
      throw cannotEnd(hanging, 'it belongs to another transactional id');
    }
    const transaction = { transactionalId, ...producer };
    const topics = hanging.map(({ topic, partition }) => ({ topic, partitions: [partition] }));
    await again(() => coordinator.addPartitionsToTxn({ ...transaction, topics: merged(topics) }));
    await coordinator.endTxn({ ...transaction, transactionResult: true });
  } finally {
    client.close();
  }
}

/** Offset behind everything that is written, settled or not, per partition. */
async function endsOf(reader: TopicReader): Promise<ReadonlyMap<number, number>> {
  const ranges = [...(await reader.ranges())];
  const ends = await Promise.all(
    ranges.map(
      async ([partition, { endOffset }]): Promise<[number, number]> => [
        partition,
        (await reader.raw(partition, endOffset)).endOffset,
      ],
    ),
  );
  return new Map(ends);
}

/** @param ends what begins at or behind these is left out */
async function openIn(reader: TopicReader, ends: ReadonlyMap<number, number>): Promise<Hanging[]> {
  const open: Hanging[] = [];
  for (const [partition, { endOffset }] of await reader.ranges()) {
    // The end for committed records is where the first open transaction begins.
    if (endOffset >= (ends.get(partition) ?? 0)) continue;
    const [first] = (await reader.raw(partition, endOffset)).messages;
    const context = first?.batchContext;
    if (context?.inTransaction !== true) continue;
    open.push({
      topic: reader.topic,
      partition,
      producerId: context.producerId,
      producerEpoch: context.producerEpoch,
    });
  }
  return open;
}

/** Whether the last marker of a partition that does not hang is an abort by the producer of one that does. */
async function abortedElsewhere(
  hanging: readonly Hanging[],
  readers: readonly TopicReader[],
): Promise<boolean> {
  for (const reader of readers) {
    for (const [partition, { lowOffset, endOffset }] of await reader.ranges()) {
      if (hanging.some((one) => one.topic === reader.topic && one.partition === partition)) continue;
      const { messages } = await reader.raw(partition, Math.max(lowOffset, endOffset - TAIL_OFFSETS));
      const last = messages.findLast(({ isControlRecord }) => isControlRecord);
      const context = last?.batchContext;
      if (last === undefined || context === undefined || !isAbortMarker(last)) continue;
      // An abort that fences has the next epoch.
      const same = ({ producerId, producerEpoch }: Hanging): boolean =>
        producerId === context.producerId &&
        (context.producerEpoch === producerEpoch || context.producerEpoch === producerEpoch + 1);
      if (hanging.some(same)) return true;
    }
  }
  return false;
}

/** The coordinator answers CONCURRENT_TRANSACTIONS while it completes the one before. */
async function again<T>(request: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request();
    } catch (error) {
      const { type } = error as { type?: unknown };
      if (type !== 'CONCURRENT_TRANSACTIONS' || attempt >= ATTEMPTS) throw error;
      await sleep(POLL_MS);
    }
  }
}

function merged(
  topics: readonly { topic: string; partitions: readonly number[] }[],
): { topic: string; partitions: number[] }[] {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partitions } of topics) {
    byTopic.set(topic, [...(byTopic.get(topic) ?? []), ...partitions]);
  }
  return [...byTopic].map(([topic, partitions]) => ({ topic, partitions }));
}

function cannotEnd(hanging: readonly Hanging[], why: string): LogError {
  const where = hanging.map(({ topic, partition }) => `${topic}-${partition}`).join(', ');
  const [first] = hanging;
  return new LogError(
    'unavailable',
    `a transaction of producer ${first?.producerId} hangs in ${where} and ${why}: ` +
      'end it with "kafka-transactions.sh abort"',
  );
}
