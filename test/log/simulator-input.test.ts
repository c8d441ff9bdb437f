import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { SimulatorInput, type SimulatorInputOptions } from '../../bridge/log/embedded/simulator-input.ts';
import { defaultSignal } from '../../bridge/simulator/signal.ts';
import { inputContract, Recorder, until } from './contract.ts';

const geometry = { bins: 256, sampleRateHz: 2e6, loHz: 10.353e9 };
const signal = defaultSignal(5, geometry);

/** 20 messages of 4 slices a file; a file lasts 10.24 ms. */
const options: SimulatorInputOptions = {
  signal,
  run: 'simulated',
  from: 'earliest',
  startFile: 7,
  slicesPerMessage: 4,
  samplesPerFile: 80 * geometry.bins,
};

inputContract('simulator', async () => ({
  create: (from) => new SimulatorInput({ ...options, from, speed: 0.2 }),
  records: 40,
  ends: false,
  close: async () => {},
}));

test('is paced by the clock, and catches up after a pause', async () => {
  // One message of 4 slices every 51.2 ms.
  const input = new SimulatorInput({ ...options, speed: 0.01 });
  const recorder = new Recorder();
  await input.start(recorder);
  try {
    await until('the first is there', () => recorder.seen.length === 1);
    const begin = performance.now();
    await until('nine more are there', () => recorder.seen.length === 10);
    const tookMs = performance.now() - begin;
    expect(tookMs).toBeGreaterThan(9 * 51.2 - 60);
    input.pause();
    // The clock would take as long again for what has gathered; a busy machine gives it at once, or nearly.
    await sleep(3000);
    const before = recorder.seen.length;
    const end = (await input.endOffsets()).get(0) as number;
    expect(end - 7 * 65536).toBeGreaterThanOrEqual(before + 50);
    input.resume();
    const resumed = performance.now();
    await until('the backlog is there', () => recorder.seen.length >= before + 50);
    expect(performance.now() - resumed).toBeLessThan(50 * 51.2 - 500);
  } finally {
    await input.stop();
  }
});

test('a run started in the middle of a file goes on with the same samples', async () => {
  const whole = new Recorder();
  const first = new SimulatorInput({ ...options, speed: 1 });
  await first.start(whole);
  await until('two files are there', () => whole.seen.length >= 40);
  await first.stop();
  const middle = new Recorder();
  middle.answer = async () => new Map([[0, 8 * 65536 + 13]]);
  const second = new SimulatorInput({ ...options, speed: 1 });
  await second.start(middle);
  await until('the rest of the file is there', () => middle.seen.length >= 7);
  await second.stop();
  for (let k = 0; k < 7; k++) {
    const [a, b] = [whole.seen[33 + k], middle.seen[k]];
    expect(b?.offset).toBe(a?.offset);
    expect(b?.headers['hs-crc32']).toBe(a?.headers['hs-crc32']);
    expect(b?.headers['hs-first']).toBe(String(4 * (13 + k)));
  }
});
