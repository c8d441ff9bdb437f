/** Control messages, both directions: accepted is what the protocol allows and nothing else, and it reads as it is. */
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { ControlError, parseBridgeMessage, parseClientMessage } from '../../bridge/protocol/control.ts';
import { sampleState } from '../server/source.ts';
import { fuzz } from './fuzz.ts';
import { damagedJson } from './mutations.ts';

type Fields = Readonly<Record<string, unknown>>;

const isText = (value: unknown, most: number): boolean => typeof value === 'string' && value.length <= most;
const isCount = (value: unknown, least: number, most: number): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
const isUint32 = (value: unknown): boolean => isCount(value, 0, 0xffff_ffff);

const RUN = /^(?!\.+(~|$))[A-Za-z0-9._-]{1,64}(~([2-9]|[1-9][0-9]{1,5}))?$/;
const isId = (value: unknown): boolean => typeof value === 'string' && /^[A-Za-z0-9-]{8,64}$/.test(value);
const isLine = (value: unknown, most: number): boolean =>
  isText(value, most) &&
  Array.from(String(value), (character) => character.codePointAt(0) ?? 0).every(
    (code) =>
      code >= 0x20 && !(code >= 0x7f && code <= 0x9f) && ![0x2028, 0x2029, 0xfffe, 0xffff].includes(code),
  );
const hasKeys = (value: unknown, ...keys: string[]): value is Fields =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.keys(value).toSorted().join() === keys.toSorted().join();

function isPlace(value: unknown): boolean {
  if (hasKeys(value, 'kind', 'hz')) return value['kind'] === 'frequency' && Number.isFinite(value['hz']);
  return hasKeys(value, 'kind', 'utcMs') && value['kind'] === 'moment' && isCount(value['utcMs'], 0, 8.64e15);
}

function isAction(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, name, text, at, annotation } = value as Fields;
  if (kind === 'new-run')
    return (
      hasKeys(value, 'kind', 'name') &&
      RUN.test(String(name)) &&
      isText(name, 64) &&
      !String(name).includes('~')
    );
  if (kind === 'reset') return hasKeys(value, 'kind');
  if (kind === 'annotate')
    return (
      hasKeys(value, 'kind', 'at', 'text') && isPlace(at) && isLine(text, 200) && String(text).trim() !== ''
    );
  return kind === 'remove' && hasKeys(value, 'kind', 'annotation') && isId(annotation);
}

/** The protocol once more, without a schema library: which keys a client's message has, and what they may be. */
const CLIENT_RULES: Readonly<Record<string, Readonly<Record<string, (value: unknown) => boolean>>>> = {
  hello: {
    protocol: (value) => value === 2,
    software: (value) => isText(value, 64),
    role: (value) => value === 'processor' || value === 'viewer' || value === 'auto',
    headless: (value) => typeof value === 'boolean',
    token: (value) => value === undefined || isText(value, 256),
  },
  command: {
    command: (value) =>
      hasKeys(value, 'id', 'run', 'author', 'action') &&
      isId(value['id']) &&
      typeof value['run'] === 'string' &&
      RUN.test(value['run']) &&
      isLine(value['author'], 40) &&
      isAction(value['action']),
  },
  credit: { blocks: (value) => isCount(value, 1, 16) },
  seen: { sequence: isUint32 },
  failed: {
    block: isUint32,
    epoch: isUint32,
    code: (value) => isText(value, 64),
    message: (value) => isText(value, 1024),
  },
  engine: {
    engine: (value) => {
      if (typeof value !== 'object' || value === null) return false;
      const { kind, name, why } = value as Fields;
      return (
        ['gpu', 'wasm', 'ts'].includes(String(kind)) &&
        typeof kind === 'string' &&
        isText(name, 256) &&
        isText(why, 1024)
      );
    },
  },
};

function isClientMessage(value: unknown): value is Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { type, ...rest } = value as Fields;
  const rules =
    typeof type === 'string' && Object.hasOwn(CLIENT_RULES, type) ? CLIENT_RULES[type] : undefined;
  if (rules === undefined) return false;
  const hasAll = Object.entries(rules).every(([key, isRight]) => isRight(rest[key]));
  return hasAll && Object.keys(rest).every((key) => Object.hasOwn(rules, key));
}

/** What is let through; null where it is refused as it should be, by a `ControlError`. */
function accepted<T>(parse: (text: string) => T, text: string): T | null {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    // The message goes back to whoever sent this: short, and in one line.
    expect(error.message.length).toBeLessThan(300);
    return null;
  }
}

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** As long as a text may be, one more, or anything. */
const textUpTo = (most: number): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ maxLength: 80 }),
    fc.constantFrom(most, most + 1).map((length) => 'é'.repeat(length)),
  );
const line = (most: number): fc.Arbitrary<string> =>
  fc.oneof(textUpTo(most), fc.constantFrom(' ', 'two\nlines', 'a\u2028b', 'a\ufffeb', 'tuner moved'));
const clientMessage = fc.oneof(
  fc.record({
    type: fc.constant('command'),
    command: fc.record({
      id: fc.oneof(fc.uuid(), fc.constantFrom('short', 'a'.repeat(64), 'a'.repeat(65))),
      run: fc.constantFrom('run404', 'run404~2', 'run404~1', '..', ''),
      author: line(40),
      action: fc.oneof(
        fc.record({ kind: fc.constant('new-run'), name: fc.constantFrom('run405', 'run405~2', 'a b', '.') }),
        fc.constant({ kind: 'reset' }),
        fc.record({
          kind: fc.constant('annotate'),
          at: fc.oneof(
            fc.record({ kind: fc.constant('frequency'), hz: fc.double() }),
            fc.record({ kind: fc.constant('moment'), utcMs: fc.integer({ min: -1 }) }),
          ),
          text: line(200),
        }),
        fc.record({ kind: fc.constant('remove'), annotation: fc.uuid() }),
      ),
    }),
  }),
  fc.record(
    {
      type: fc.constant('hello'),
      protocol: fc.constant(2),
      software: textUpTo(64),
      role: fc.constantFrom('processor', 'viewer', 'auto'),
      headless: fc.boolean(),
      token: textUpTo(256),
    },
    { requiredKeys: ['type', 'protocol', 'software', 'role', 'headless'] },
  ),
  fc.record({ type: fc.constant('credit'), blocks: fc.integer({ min: 0, max: 17 }) }),
  fc.record({ type: fc.constant('seen'), sequence: fc.integer({ min: -1, max: 2 ** 32 }) }),
  fc.record({
    type: fc.constant('failed'),
    block: fc.nat(),
    epoch: fc.nat(),
    code: textUpTo(64),
    message: textUpTo(1024),
  }),
  fc.record({
    type: fc.constant('engine'),
    engine: fc.record({
      kind: fc.constantFrom('gpu', 'wasm', 'ts'),
      name: textUpTo(256),
      why: textUpTo(1024),
    }),
  }),
);

fuzz('messages of a client', damagedJson(clientMessage), (text) => {
  const message = accepted(parseClientMessage, text);
  const value = jsonOf(text);
  expect(message !== null).toBe(isClientMessage(value));
  if (message === null || message.type === 'engine') return;
  // Nothing is added, nothing is changed; an engine may say more than is listened to.
  expect(message).toEqual(value);
});

const bridgeMessage = fc.oneof(
  fc.constant({
    type: 'welcome',
    protocol: 2,
    software: 'haloscope test',
    client: 'c1',
    role: 'viewer',
    roleReason: '',
    operatorReason: 'a token is needed',
    geometry: { bins: 256, sampleRateHz: 2e6, loHz: 10e9 },
    run: 'run1',
  }),
  fc.record({
    type: fc.constant('refuse'),
    code: fc.constantFrom(
      'protocol',
      'token',
      'busy',
      'malformed',
      'bad-results',
      'stopping',
      'silent',
      'other',
    ),
    message: fc.string(),
  }),
  fc.constant({ type: 'state', state: sampleState() }),
  fc.record({
    type: fc.constant('decided'),
    id: fc.uuid(),
    outcome: fc.oneof(
      fc.record({ outcome: fc.constant('done'), message: fc.string() }),
      fc.record({
        outcome: fc.constant('refused'),
        code: fc.constantFrom('run-exists', 'standby', 'perhaps'),
        message: fc.string(),
      }),
    ),
  }),
);

/** Whether all that `part` says is said by `whole` in the same words: nothing was invented or converted. */
function isPartOf(part: unknown, whole: unknown): boolean {
  if (typeof part !== 'object' || part === null) return Object.is(part, whole);
  if (typeof whole !== 'object' || whole === null) return false;
  if (Array.isArray(part) && part.length !== (whole as readonly unknown[]).length) return false;
  return Object.entries(part).every(([key, value]) => isPartOf(value, (whole as Fields)[key]));
}

fuzz('messages of the bridge', damagedJson(bridgeMessage), (text) => {
  const message = accepted(parseBridgeMessage, text);
  if (message !== null) expect(isPartOf(message, jsonOf(text))).toBe(true);
});
