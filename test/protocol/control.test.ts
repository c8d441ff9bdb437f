import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  CLOSE_CODES,
  ControlError,
  MAX_CREDITS,
  parseBridgeMessage,
  parseClientMessage,
} from '../../bridge/protocol/control.ts';
import { PROTOCOL_VERSION } from '../../bridge/protocol/frames.ts';
import { sampleState } from '../server/source.ts';

const hello = {
  type: 'hello',
  protocol: PROTOCOL_VERSION,
  software: 'haloscope 0.1.0',
  role: 'auto',
  headless: false,
};
const engine = { kind: 'wasm', name: 'CPU, 2 workers', why: 'no GPU' };

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'none';
  } catch (error) {
    if (error instanceof ControlError) return error.code;
    throw error;
  }
}
const clientCode = (value: unknown): string => codeOf(() => parseClientMessage(JSON.stringify(value)));
const bridgeCode = (value: unknown): string => codeOf(() => parseBridgeMessage(JSON.stringify(value)));

test.each([
  hello,
  { ...hello, token: 'secret', role: 'viewer' },
  { type: 'credit', blocks: MAX_CREDITS },
  { type: 'seen', sequence: 0xffff_ffff },
  { type: 'failed', block: 1, epoch: 2, code: 'non-finite', message: 'NaN in slice 3' },
  { type: 'engine', engine },
])('a client may say %j', (message) => {
  expect(parseClientMessage(JSON.stringify(message))).toEqual(message);
});

test.each([
  null,
  [],
  'hello',
  {},
  { type: 'welcome' },
  { ...hello, role: 'operator' },
  { ...hello, headless: 'no' },
  { ...hello, software: 'x'.repeat(65) },
  { ...hello, token: 'x'.repeat(257) },
  { ...hello, surprise: 1 },
  { type: 'credit', blocks: 0 },
  { type: 'credit', blocks: MAX_CREDITS + 1 },
  { type: 'credit', blocks: 1.5 },
  { type: 'credit' },
  { type: 'seen', sequence: -1 },
  { type: 'seen', sequence: 2 ** 32 },
  { type: 'failed', block: 1, epoch: 2, code: 3, message: '' },
  { type: 'engine', engine: { ...engine, kind: 'abacus' } },
  { type: 'engine', engine: { ...engine, name: 'x'.repeat(257) } },
])('a client may not say %j', (message) => {
  expect(clientCode(message)).toBe('malformed');
});

test('a hello of another version is recognised, whatever else it holds', () => {
  expect(clientCode({ type: 'hello', protocol: PROTOCOL_VERSION + 1, greeting: 'new ways' })).toBe(
    'protocol',
  );
  expect(clientCode({ type: 'hello', protocol: '1' })).toBe('protocol');
  expect(clientCode({ type: 'hello' })).toBe('protocol');
  expect(bridgeCode({ type: 'welcome', protocol: PROTOCOL_VERSION + 1 })).toBe('protocol');
});

test('what a bridge says reads back, and unknown keys of its state are dropped', () => {
  const welcome = {
    type: 'welcome',
    protocol: PROTOCOL_VERSION,
    software: 'haloscope 0.1.0',
    client: 'c1',
    role: 'viewer',
    roleReason: 'a token is needed',
    operatorReason: 'a token is needed',
    geometry: { bins: 3072, sampleRateHz: 2e6, loHz: 10.353e9 },
    run: 'run404',
  };
  expect(parseBridgeMessage(JSON.stringify(welcome))).toEqual(welcome);
  const state = sampleState();
  expect(parseBridgeMessage(JSON.stringify({ type: 'state', state: { ...state, news: 1 } }))).toEqual({
    type: 'state',
    state,
  });
});

test('every refusal has a close code of its own, and reads back', () => {
  const codes = Object.values(CLOSE_CODES);
  expect(new Set(codes).size).toBe(codes.length);
  for (const code of Object.keys(CLOSE_CODES)) {
    const refuse = { type: 'refuse', code, message: 'no' };
    expect(parseBridgeMessage(JSON.stringify(refuse))).toEqual(refuse);
  }
});

test('a state with a hole is malformed', () => {
  for (const key of Object.keys(sampleState())) {
    const state: Record<string, unknown> = { ...sampleState() };
    delete state[key];
    expect(bridgeCode({ type: 'state', state }), key).toBe('malformed');
  }
});

test('garbage throws nothing but a ControlError', () => {
  const garbage = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .record({
        type: fc.constantFrom('hello', 'credit', 'seen', 'failed', 'engine'),
        protocol: fc.constant(1),
        blocks: fc.anything(),
      })
      .map((v) => JSON.stringify(v)),
  );
  fc.assert(
    fc.property(garbage, (text) => {
      for (const parse of [parseClientMessage, parseBridgeMessage])
        expect(['none', 'malformed', 'protocol']).toContain(codeOf(() => parse(text ?? '')));
    }),
    { numRuns: 2000 },
  );
});
