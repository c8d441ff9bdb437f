/** Errors as kafkajs 2.2.4 throws them, wrapped and unwrapped, and the code that each must get. */

import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { isFenced, toLogError } from '../../bridge/log/kafka/errors.ts';
import { LogError } from '../../bridge/log/port.ts';

type ErrorClass = new (error: unknown, options?: object) => Error;
const require = createRequire(import.meta.url);
const errors = require('kafkajs/src/errors.js') as Record<string, ErrorClass>;
const { createErrorFromCode } = require('kafkajs/src/protocol/error.js') as {
  createErrorFromCode(this: void, code: number): Error;
};

const make = (name: string, ...args: [unknown, object?]): Error => new (errors[name] as ErrorClass)(...args);
const codeOf = (error: unknown): string => toLogError(error, 'doing', 'unavailable').code;

/** Numbers of https://kafka.apache.org/protocol#protocol_error_codes */
test.for([
  [47, 'fenced'],
  [90, 'fenced'],
  [91, 'unavailable'],
  [10, 'too-large'],
  [18, 'too-large'],
  [3, 'missing-topic'],
  [1, 'offset-lost'],
  [29, 'unauthorized'],
  [30, 'unauthorized'],
  [53, 'unauthorized'],
  [14, 'unavailable'],
] as const)('protocol error %i is %s, also when it is wrapped', ([number, code]) => {
  const error = createErrorFromCode(number);
  expect(codeOf(error)).toBe(code);
  const wrapped = make('KafkaJSNonRetriableError', error, { cause: error });
  expect(codeOf(wrapped)).toBe(code);
  const exceeded = make('KafkaJSNumberOfRetriesExceeded', wrapped, { retryCount: 3, retryTime: 10 });
  expect(codeOf(exceeded)).toBe(code);
  expect(isFenced(exceeded)).toBe(code === 'fenced');
});

test('connections that fail are unreachable, refused credentials unauthorized', () => {
  expect(codeOf(make('KafkaJSConnectionError', 'connect ECONNREFUSED'))).toBe('unreachable');
  expect(codeOf(make('KafkaJSConnectionClosedError', 'Closed connection'))).toBe('unreachable');
  expect(codeOf(make('KafkaJSRequestTimeoutError', 'Request Fetch timed out'))).toBe('unreachable');
  expect(codeOf(make('KafkaJSSASLAuthenticationError', 'SCRAM failed'))).toBe('unauthorized');
});

test('says what was done and why it failed, and keeps the cause', () => {
  const error = make('KafkaJSConnectionError', 'connect ECONNREFUSED 127.0.0.1:1');
  const known = toLogError(error, 'results: transaction', 'unavailable');
  expect(known.message).toBe('results: transaction: connect ECONNREFUSED 127.0.0.1:1');
  expect(known.cause).toBe(error);
  expect(toLogError(known, 'again', 'unavailable')).toBe(known);
  expect(toLogError('a string', 'doing', 'disk-full')).toMatchObject({ code: 'disk-full' });
  expect(new LogError('fenced', 'x').name).toBe('LogError');
});

test('a chain of causes that turns in a circle ends', () => {
  const error = new Error('round');
  error.cause = error;
  expect(codeOf(error)).toBe('unavailable');
});
