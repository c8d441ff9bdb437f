/**
 * States of the chain for tests of the page.
 */
import type { Welcome } from '../../bridge/protocol/control.ts';
import { PROTOCOL_VERSION, type SpectrumFrame } from '../../bridge/protocol/frames.ts';
import type { TimeSums } from '../../bridge/protocol/moments.ts';
import type { BridgeState, ClientState } from '../../bridge/protocol/state.ts';
import type { Connection } from '../../web/worker/updates.ts';

export const NOW = Date.UTC(2026, 10, 23, 12);
export const geometry = { bins: 256, sampleRateHz: 2e6, loHz: 10.353e9 };

export const processor: ClientState = {
  id: 'p1',
  role: 'processor',
  headless: false,
  engine: { kind: 'wasm', name: '2 threads', why: 'no WebGPU adapter' },
  blocksInFlight: 2,
  blocksDone: 40,
  msPerFile: 24,
};

export const bridgeState = (over: Partial<BridgeState> = {}): BridgeState => ({
  software: '0.1.0',
  protocol: PROTOCOL_VERSION,
  utc: new Date(NOW).toISOString(),
  startedUtc: new Date(NOW - 60_000).toISOString(),
  geometry,
  input: { kind: 'kafka', reachable: true, trouble: null },
  output: { kind: 'kafka', reachable: true, trouble: null },
  group: null,
  run: { name: 'run404', filesDone: 3, slicesDone: 8193, resetUtc: null, firstUtc: null, lastUtc: null },
  lag: { files: 2, seconds: 8.4 },
  retention: null,
  current: null,
  latest: null,
  newestDatumUtc: null,
  headerless: false,
  clients: [processor],
  rejected: {},
  incomplete: [],
  alarms: [],
  annotations: [],
  operations: [],
  ...over,
});

const welcome = (over: Partial<Welcome> = {}): Welcome => ({
  type: 'welcome',
  protocol: PROTOCOL_VERSION,
  software: '0.1.0',
  client: 'p1',
  role: 'processor',
  roleReason: '',
  operatorReason: '',
  geometry,
  run: 'run404',
  ...over,
});

export const open: Connection = { phase: 'open', welcome: welcome(), bridge: 'http://127.0.0.1:8080/' };

/** A healthy digitiser: 2 mV of noise in either channel, no DC, balanced. */
export function healthy(slices: number, bins = geometry.bins, over: Partial<TimeSums> = {}): TimeSums {
  const samples = slices * bins;
  const square = samples * 2e-3 ** 2;
  return {
    samples,
    minI: -0.0104,
    maxI: 0.0106,
    minQ: -0.0107,
    maxQ: 0.0103,
    clipped: 1,
    sumI: 0,
    sumQ: 0,
    sumII: square,
    sumQQ: square,
    sumIQ: 0,
    ...over,
  };
}

export const spectrum = (over: Partial<SpectrumFrame> = {}): SpectrumFrame => ({
  sequence: 1,
  trace: 'latest',
  run: 'run404',
  file: 7,
  files: 1,
  slices: 2731,
  slicesExpected: 2731,
  newestUtcMs: NOW - 500,
  time: healthy(2731),
  mean: new Float32Array(geometry.bins).fill(5e-9),
  std: new Float32Array(geometry.bins).fill(5e-9),
  ...over,
});
