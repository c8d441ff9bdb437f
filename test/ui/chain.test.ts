import { expect, test } from 'vitest';
import type { Freshness } from '../../web/analysis/freshness.ts';
import { type ChainInput, summarise } from '../../web/ui/model/chain.ts';
import { adcHealth } from '../../web/analysis/adc-health.ts';
import { noticesOf } from '../../web/ui/model/notices.ts';
import { bridgeState, NOW, open, processor, healthy } from './states.ts';

const fresh = (liveness: Freshness['liveness'], ageSeconds = 0.4, quietSeconds = 0.4): Freshness => ({
  liveness,
  ageSeconds,
  quietSeconds,
  undated: false,
});

const input = (over: Partial<ChainInput> = {}): ChainInput => ({
  connection: open,
  state: bridgeState(),
  freshness: fresh('live'),
  role: 'processor',
  engineTrouble: null,
  nowMs: NOW,
  ...over,
});

test('nothing is said while all is well', () => {
  expect(summarise(input())).toEqual({ code: 'well', severity: 'calm', headline: '', advice: '' });
});

test('no connection: before, lost, with the time since when', () => {
  expect(summarise(input({ connection: { phase: 'connecting' }, state: null })).code).toBe('connecting');
  expect(summarise(input({ state: null })).code).toBe('connecting');
  const lost = summarise(
    input({ connection: { phase: 'lost', reason: 'closed (1006)', sinceMs: NOW - 65_000 } }),
  );
  expect(lost).toMatchObject({ code: 'disconnected', severity: 'alarm' });
  expect(lost.headline).toBe('Not connected to the bridge since 11:58:55 UTC');
  expect(lost.advice).toMatch(/^Closed \(1006\)\. Tried again/);
});

test('refusals say what to do', () => {
  const refused = (code: 'token' | 'protocol' | 'busy') =>
    summarise(input({ connection: { phase: 'refused', code, message: 'Reason.' } }));
  expect(refused('token').code).toBe('refused-token');
  expect(refused('token').advice).toMatch(/Paste the token/);
  expect(refused('protocol').code).toBe('refused-protocol');
  expect(refused('protocol').advice).toMatch(/reloads itself/);
  expect(refused('busy')).toMatchObject({ code: 'refused', advice: 'Reason.' });
});

test('a broker that is away explains more than the age of the data', () => {
  const away = {
    kind: 'kafka',
    reachable: false,
    trouble: 'No broker at 10.0.0.7:9092; next try in 5 s.',
  } as const;
  const stale = fresh('stale', 300, 300);
  expect(summarise(input({ state: bridgeState({ input: away }), freshness: stale }))).toMatchObject({
    code: 'input-away',
    headline: 'Input away: Kafka',
    advice: away.trouble,
  });
  expect(summarise(input({ state: bridgeState({ output: away }) })).code).toBe('output-away');
});

test('at a standby nothing is stale and no processor is missing: another bridge reads', () => {
  const group = { role: 'standby', partitions: [], peers: [{ urls: [], isActive: true }] } as const;
  const none = fresh('none', Number.NaN);
  expect(summarise(input({ state: bridgeState({ group, clients: [] }), freshness: none }))).toMatchObject({
    code: 'standby',
    severity: 'note',
  });
  const active = bridgeState({ group: { ...group, role: 'active', partitions: [0] }, clients: [] });
  expect(summarise(input({ state: active, freshness: none, role: 'viewer' })).code).toBe('no-processor');
});

test('no processor: data wait in the log', () => {
  const none = summarise(
    input({ state: bridgeState({ clients: [] }), freshness: fresh('none', Number.NaN), role: 'viewer' }),
  );
  expect(none).toMatchObject({ code: 'no-processor', severity: 'alarm' });
  expect(none.advice).toMatch(/role=processor/);
});

test('a page whose engine is being made says so, and why when it cannot be made', () => {
  const making = { ...processor, engine: null };
  const starting = input({ state: bridgeState({ clients: [making] }), freshness: fresh('none', Number.NaN) });
  expect(summarise(starting)).toMatchObject({ code: 'starting', severity: 'calm' });
  expect(summarise({ ...starting, engineTrouble: 'the self-test failed' })).toMatchObject({
    code: 'no-processor',
    severity: 'alarm',
    advice: 'the self-test failed',
  });
});

test('waiting, behind, stale', () => {
  expect(summarise(input({ freshness: fresh('none', Number.NaN, Number.NaN) })).code).toBe('waiting');
  const behind = summarise(input({ freshness: fresh('behind', 7200, 0.3) }));
  expect(behind).toMatchObject({ code: 'behind', severity: 'note', advice: '2 files to catch up.' });
  const stale = summarise(input({ freshness: fresh('stale', 134, 133) }));
  expect(stale.headline.replaceAll('\u202f', ' ')).toBe(
    'Stale: no new data for 2 min 13 s, since 11:57:47 UTC',
  );
});

const NO_ADC = { latest: null, progress: null, run: null };

test('notices: alarms first, counted', () => {
  const notices = noticesOf({
    state: bridgeState({
      headerless: true,
      rejected: { 'wrong-checksum': 2, 'non-finite': 1 },
      incomplete: [{ run: 'run404', file: 12, missing: '0-39', atUtc: '' }],
      alarms: [{ code: 'topic-recreated', message: 'New log.', count: 4, sinceUtc: '', lastUtc: '' }],
    }),
    failover: {
      from: { kind: 'gpu', name: 'NVIDIA', why: '' },
      to: { kind: 'wasm', name: '2 threads', why: 'the GPU went away' },
      atMs: NOW,
    },
    engineTrouble: 'the self-test failed',
    roleTrouble: 'the token is wrong to compute',
    isSecure: false,
    adc: { ...NO_ADC, latest: adcHealth(healthy(2731, 256, { clipped: 99 })) },
  });
  expect(notices.map(({ code, count }) => [code, count])).toEqual([
    ['engine-failover', 1],
    ['adc-clipping', 1],
    ['no-engine', 1],
    ['topic-recreated', 4],
    ['incomplete-files', 1],
    ['role', 1],
    ['rejected-messages', 1],
    ['headerless', 1],
    ['insecure-page', 1],
  ]);
  expect(notices[0]?.detail).toBe('the GPU went away');
  expect(notices[6]?.detail).toBe('wrong-checksum: 2, non-finite: 1');
});

test('no notices on a secure page where all is well', () => {
  expect(
    noticesOf({
      state: bridgeState(),
      failover: null,
      engineTrouble: null,
      roleTrouble: '',
      isSecure: true,
      adc: { ...NO_ADC, latest: adcHealth(healthy(2731)) },
    }),
  ).toEqual([]);
});
