/** Several writers into one topic of results: one per partition of the input, over both versions of the broker. */
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { expect, inject, onTestFinished, test } from 'vitest';
import { KafkaOutput } from '../../bridge/log/kafka/output.ts';
import { KafkaProgressBoard } from '../../bridge/log/kafka/progress-board.ts';
import { progressTopic } from '../../bridge/log/kafka/topics.ts';
import { KafkaInput } from '../../bridge/log/kafka/input.ts';
import { Recorder, until } from '../log/contract.ts';
import { ALONE, clientOptions, committedKeys, createTopics, freshTopics } from '../log/kafka-fixture.ts';
import { KAFKA_VERSIONS, type KafkaVersion } from './kafka-jars.ts';

const TURNS = 20;

const result = (file: number) => ({ run: 'run404', file, value: Buffer.from(`[${file}]`), headers: {} });

async function topicsOn(version: KafkaVersion) {
  const brokers = [inject('kafka')[version]];
  const { results, ...rest } = freshTopics(2);
  await createTopics(brokers, { results, ...rest });
  const id = randomUUID();
  const idOf = (partition: number | null): string => `t-${id}-${partition}`;
  return {
    brokers,
    results,
    idOf,
    output: (partition: number | null): KafkaOutput => {
      const transactionalId = idOf(partition);
      const output = new KafkaOutput({
        ...clientOptions(brokers),
        topic: results,
        partition,
        transactionalId,
      });
      onTestFinished(() => output.release());
      return output;
    },
    board: (): KafkaProgressBoard => {
      const board = new KafkaProgressBoard({ ...clientOptions(brokers), topic: results });
      onTestFinished(() => board.close());
      return board;
    },
  };
}

test.for(KAFKA_VERSIONS)(
  'Kafka %s: writers of different partitions do not fence each other',
  async (version) => {
    const { brokers, results, output, board } = await topicsOn(version);
    const [zero, one] = [output(0), output(1)];
    expect(await Promise.all([zero.acquire(), one.acquire()])).toEqual([null, null]);
    for (let file = 0; file < 2 * TURNS; file += 2) {
      await Promise.all([
        zero.publish([result(file)], Buffer.from(`zero ${file}`)),
        one.publish([result(file + 1)], Buffer.from(`one ${file + 1}`)),
      ]);
    }
    const next = output(0);
    expect(String(await next.acquire())).toBe(`zero ${2 * TURNS - 2}`);
    await one.publish([result(100)], Buffer.from('one 100'));
    await expect(zero.publish([result(101)], Buffer.from('late'))).rejects.toMatchObject({ code: 'fenced' });

    const seen = await board().read();
    expect(new Map([...seen].map(([partition, record]) => [partition, String(record)]))).toEqual(
      new Map([
        [0, `zero ${2 * TURNS - 2}`],
        [1, 'one 100'],
      ]),
    );
    const keys = Array.from({ length: 2 * TURNS }, (_, file) => `run404/${file}`);
    expect((await committedKeys(brokers, results)).toSorted()).toEqual([...keys, 'run404/100'].toSorted());
  },
);

test.for(KAFKA_VERSIONS)(
  'Kafka %s: a partition is taken over while others publish all the time',
  async (version) => {
    const { output } = await topicsOn(version);
    const busy = output(1);
    await busy.acquire();
    const state = { isOver: false };
    const publishing = (async () => {
      for (let file = 1; !state.isOver; file += 2)
        await busy.publish([result(file)], Buffer.from(`busy ${file}`));
    })();
    for (let turn = 0; turn < 5; turn++) {
      const owner = output(0);
      expect(String(await owner.acquire())).toBe(turn === 0 ? 'null' : `turn ${turn - 1}`);
      await owner.publish([result(2 * turn)], Buffer.from(`turn ${turn}`));
    }
    state.isOver = true;
    await publishing;
  },
);

test.for(KAFKA_VERSIONS)(
  'Kafka %s: what was committed behind an open transaction of another partition is not missed',
  async (version) => {
    const { brokers, results, idOf, output } = await topicsOn(version);
    const owner = output(0);
    await owner.acquire();
    await owner.publish([result(0)], Buffer.from('before'));
    // A bridge that had partition 1 died in the middle of a transaction.
    const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
    const dead = kafka.producer({ transactionalId: idOf(1), idempotent: true, maxInFlightRequests: 1 });
    await dead.connect();
    const messages = [{ key: 'progress-1', value: 'open', partition: 0 }];
    await (await dead.transaction()).send({ topic: progressTopic(results), messages });
    await owner.publish([result(2)], Buffer.from('behind'));

    const next = output(0).acquire();
    const other = output(1).acquire();
    expect(String(await next)).toBe('behind');
    expect(await other).toBeNull();
    await dead.disconnect();
  },
);

test('progress of the other kind is refused, with what to do', async () => {
  const plain = await topicsOn('4.4.0');
  const all = plain.output(null);
  await all.acquire();
  await all.publish([], Buffer.from('all'));
  await expect(plain.output(0).acquire()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('without --scale-out') as string,
  });
  const scaled = await topicsOn('4.4.0');
  const zero = scaled.output(0);
  await zero.acquire();
  await zero.publish([], Buffer.from('zero'));
  await expect(scaled.output(null).acquire()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('with --scale-out') as string,
  });
  // A further partition of the same kind is new and welcome.
  expect(await scaled.output(1).acquire()).toBeNull();
});

test('two inputs share the partitions, and one of another kind is told why it may not join', async () => {
  const brokers = [inject('kafka')['3.4.0']];
  const topics = freshTopics(4);
  await createTopics(brokers, topics);
  const group = `g-${randomUUID()}`;
  const start = async (sharing: 'one' | 'spread'): Promise<{ input: KafkaInput; recorder: Recorder }> => {
    const options = { ...clientOptions(brokers), ...ALONE, topic: topics.input, group, sharing };
    const input = new KafkaInput({ ...options, from: 'earliest' });
    onTestFinished(() => input.stop());
    const recorder = new Recorder();
    await input.start(recorder);
    return { input, recorder };
  };
  const shareOf = ({ recorder }: { recorder: Recorder }): number[] =>
    (recorder.assignments.at(-1) ?? []).map(({ partition }) => partition);
  const first = await start('spread');
  await until('the first has all', () => shareOf(first).length === 4);
  const second = await start('spread');
  await until('they share', () => shareOf(first).length === 2 && shareOf(second).length === 2);
  expect([...shareOf(first), ...shareOf(second)].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
  await until('each knows of the other', () => first.input.group?.peers[0]?.partitions.length === 2);

  const { recorder } = await start('one');
  await until('the third says why', () => recorder.troubles.some((error) => error !== null));
  expect(recorder.troubles[0]?.message).toContain('--scale-out');
  expect(recorder.assignments).toEqual([]);
  await second.input.stop();
  await until('the first has all again', () => shareOf(first).length === 4);
});
