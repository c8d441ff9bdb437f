/** Produce requests as kafkajs encodes them by itself, and with the changes of `encoding.ts`: the same bytes. */

import { createRequire } from 'node:module';
import { crc32c } from '@node-rs/crc32';
import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { KafkaClient } from '../../bridge/log/kafka/client.ts';
import { quickenEncoding } from '../../bridge/log/kafka/encoding.ts';
import { createLogger } from '../../bridge/logger.ts';

const shared = createRequire(import.meta.url);

/** A kafkajs of its own, freshly loaded; `missing` is a package that cannot be had. */
function freshKafkajs(missing?: string): NodeJS.Require {
  const cache = shared.cache;
  const mine: NodeJS.Dict<NodeModule> = {};
  /** Swaps the modules of this kafkajs for those in Node's cache, which lazy requires look at. */
  const swap = (from: NodeJS.Dict<NodeModule>, to: NodeJS.Dict<NodeModule>): void => {
    for (const path of Object.keys(from).filter((name) => name.includes('/node_modules/kafkajs/'))) {
      to[path] = from[path];
      delete from[path];
    }
  };
  const load = (name: string): unknown => {
    if (name === missing) throw new Error(`Cannot find module '${name}'`);
    const others: NodeJS.Dict<NodeModule> = {};
    swap(cache, others);
    swap(mine, cache);
    try {
      return shared(name);
    } finally {
      swap(cache, mine);
      swap(others, cache);
    }
  };
  return Object.assign(load, shared, { cache: mine }) as NodeJS.Require;
}

type Encode = (request: unknown) => Promise<Buffer>;

interface Encoded {
  readonly buf: Buffer;
  readonly buffer: Buffer;
  size(): number;
}
type CreateRequest = (options: object) => Promise<Encoded>;
type ProduceRequest = (options: object) => { encode(): Promise<Encoded> };

const produceRequest = (require: NodeJS.Require, version = 7): ProduceRequest =>
  require(`kafkajs/src/protocol/requests/produce/v${version}/request.js`) as ProduceRequest;

/** A produce request as it goes to the socket. */
function encoder(require: NodeJS.Require, version = 7): Encode {
  // All of it now: what kafkajs loads later would come from another instance.
  const produce = produceRequest(require, version);
  const createRequest = require('kafkajs/src/protocol/request.js') as CreateRequest;
  return async (options) => {
    const request = produce(options as object);
    return (await createRequest({ correlationId: 7, clientId: 'haloscope', request })).buffer;
  };
}

const original = freshKafkajs();
const quick = freshKafkajs();

const topicData = (messages: readonly object[]): object => ({
  topic: 'chunk_data',
  partitions: [{ partition: 3, firstSequence: 41, messages }],
});
const requestOf = (messages: readonly object[], more: object = {}): object => ({
  acks: -1,
  timeout: 30_000,
  producerId: 4711,
  producerEpoch: 2,
  topicData: [topicData(messages)],
  ...more,
});

const batchOf = (require: NodeJS.Require): unknown =>
  (require('kafkajs/src/protocol/recordBatch/v0/index.js') as { RecordBatch: unknown }).RecordBatch;

test('the change is in force, once, and only in the instance that was asked for', () => {
  const Encoder = 'kafkajs/src/protocol/encoder.js';
  expect(quickenEncoding(quick)).toBeNull();
  expect(quick(Encoder)).not.toBe(original(Encoder));
  expect(String(batchOf(quick))).not.toBe(String(batchOf(original)));
});

test('every client of the bridge has it, and says nothing', () => {
  const logger = createLogger('silent');
  const warn = vi.spyOn(logger, 'warn');
  const connection = { brokers: ['127.0.0.1:1'], ssl: null, sasl: null };
  new KafkaClient({ connection, clientId: 'test', logger }).close();
  expect(warn).not.toHaveBeenCalled();
  expect(String(batchOf(shared))).toBe(String(batchOf(quick)));
});

test.for([3, 4, 5, 6, 7])(
  'a request of version %i has the same bytes as before, whatever it holds',
  async (version) => {
    const [encode, wanted] = [encoder(quick, version), encoder(original, version)];
    // Around the sizes at which the original doubles its buffers, and at which ours are kept.
    const bytes = fc
      .tuple(fc.constantFrom(0, 1, 511, 512, 16_383, 16_384, 16_385, 32_768, 983_040), fc.nat(255))
      .map(([size, first]) =>
        Buffer.from(Uint8Array.from({ length: size }, (_, k) => (first + 31 * k) & 255)),
      );
    const text = fc.string({ unit: 'grapheme', maxLength: 40 });
    const header = fc.oneof(text, bytes, fc.array(text, { maxLength: 2 }));
    const message = fc.record(
      {
        key: fc.oneof(fc.constant(null), text, bytes),
        value: fc.oneof(fc.constant(null), text, bytes, bytes),
        headers: fc.dictionary(text, header, { maxKeys: 3 }),
        timestamp: fc.constantFrom('1700000000000', '1700000000123'),
      },
      { requiredKeys: ['key', 'value', 'timestamp'] },
    );
    const more = fc.record({ transactionalId: fc.constantFrom(null, 'haloscope') });
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 3 }), more, async (messages, options) => {
        const request = requestOf(messages, options);
        const found = await encode(request);
        expect(found.equals(await wanted(request))).toBe(true);
      }),
      { seed: 404, numRuns: 60 },
    );
  },
);

test('several topics, partitions and large records keep their places', async () => {
  const large = Array.from({ length: 3 }, (_, n) => Buffer.alloc(100_000 + n, n + 1));
  const messages = large.map((value, n) => ({ key: `${n}`, value, timestamp: '1700000000000' }));
  const partitions = [0, 1].map((partition) => ({ partition, firstSequence: 0, messages }));
  const request = requestOf([], {
    topicData: ['a', 'b'].map((topic) => ({ topic, partitions })),
  });
  const found = await encoder(quick)(request);
  expect(found.equals(await encoder(original)(request))).toBe(true);
});

test('compressed batches are left to kafkajs', async () => {
  const messages = [{ key: 'k', value: Buffer.alloc(50_000, 1), timestamp: '1700000000000' }];
  const request = requestOf(messages, { compression: 1 });
  const found = await encoder(quick)(request);
  expect(found.equals(await encoder(original)(request))).toBe(true);
});

test('a value of 1 MB is not copied before the request is whole', async () => {
  const messages = [{ key: 'k', value: Buffer.alloc(983_040, 1), timestamp: '1700000000000' }];
  const encoded = async (require: NodeJS.Require): Promise<Encoded> =>
    produceRequest(require)(requestOf(messages)).encode();
  const ours = await encoded(quick);
  const theirs = await encoded(original);
  expect(ours.size()).toBe(theirs.size());
  expect(theirs.buf.length).toBeGreaterThan(983_040);
  expect(ours.buf.length).toBeLessThan(1024);
});

test('the native checksum is the one that kafkajs computes', () => {
  const slow = original('kafkajs/src/protocol/recordBatch/crc32C/index.js') as (bytes: Buffer) => number;
  // The check value of CRC-32C in every catalogue.
  expect(crc32c('123456789')).toBe(0xe3069283);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), fc.nat(5000), (bytes, cut) => {
      const [head, rest] = [bytes.subarray(0, cut), bytes.subarray(cut)];
      expect(crc32c(rest, crc32c(head))).toBe(slow(Buffer.from(bytes)));
    }),
    { seed: 404 },
  );
});

test('kafkajs stays as it is where the checksum is missing, or where it comes too late, with the reason', async () => {
  const request = requestOf([{ key: 'k', value: Buffer.alloc(40_000, 9), timestamp: '1700000000000' }]);
  const wanted = await encoder(original)(request);

  const without = freshKafkajs('@node-rs/crc32');
  expect(quickenEncoding(without)).toContain("Cannot find module '@node-rs/crc32'");
  expect((await encoder(without)(request)).equals(wanted)).toBe(true);
  expect((await produceRequest(without)(request).encode()).buf.length).toBeGreaterThan(40_000);

  const late = freshKafkajs();
  expect((await encoder(late)(request)).equals(wanted)).toBe(true);
  expect(quickenEncoding(late)).toBe('kafkajs has encoded a request before');

  const other = freshKafkajs();
  const asOther = Object.assign(
    (name: string): unknown => (name === 'kafkajs/package.json' ? { version: '2.3.0' } : other(name)),
    other,
  ) as NodeJS.Require;
  expect(quickenEncoding(asOther)).toBe('expected kafkajs 2.2.4, found 2.3.0');
});
