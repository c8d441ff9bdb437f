import { expect, test } from 'vitest';
import { spokenSummary } from '../../web/ui/announcer.tsx';
import { applyUpdate, createModel, goLive, pause } from '../../web/ui/model/model.ts';
import { DEFAULT_VIEW } from '../../web/ui/model/view.ts';
import { bridgeState, geometry, healthy, NOW, open, spectrum } from './states.ts';

const start = () => {
  const model = createModel(DEFAULT_VIEW, { isKiosk: false, isSecure: true, hasToken: true });
  model.nowMs.value = NOW;
  applyUpdate(model, { connection: open, state: { state: bridgeState(), arrivedMs: NOW }, spectra: [] });
  return model;
};

test('before the bridge is heard the usual geometry stands, afterwards its own', () => {
  const model = createModel(DEFAULT_VIEW, { isKiosk: false, isSecure: true, hasToken: true });
  expect(model.geometry.value.bins).toBe(3072);
  expect(model.chain.value.code).toBe('connecting');
  applyUpdate(model, { connection: open, spectra: [] });
  expect(model.geometry.value).toEqual(geometry);
  const before = model.geometry.value;
  applyUpdate(model, { state: { state: bridgeState(), arrivedMs: NOW }, spectra: [] });
  expect(model.geometry.value).toBe(before);
});

test('spectra make the display live; the same ones again do not make it younger', () => {
  const model = start();
  expect(model.chain.value.code).toBe('waiting');
  applyUpdate(model, { spectra: [{ spectrum: spectrum(), arrivedMs: NOW }] });
  expect(model.freshness.value.liveness).toBe('live');
  model.nowMs.value = NOW + 60_000;
  expect(model.freshness.value.liveness).toBe('stale');
  applyUpdate(model, { spectra: [{ spectrum: spectrum({ sequence: 9 }), arrivedMs: NOW + 60_000 }] });
  expect(model.freshness.value.liveness).toBe('stale');
});

test('undated spectra are news only when they hold something else', () => {
  const model = start();
  const undated = spectrum({ newestUtcMs: Number.NaN });
  applyUpdate(model, { spectra: [{ spectrum: undated, arrivedMs: NOW }] });
  applyUpdate(model, { spectra: [{ spectrum: undated, arrivedMs: NOW + 9000 }] });
  expect(model.newest.value?.arrivedMs).toBe(NOW);
  applyUpdate(model, { spectra: [{ spectrum: { ...undated, file: 8 }, arrivedMs: NOW + 9500 }] });
  expect(model.newest.value?.arrivedMs).toBe(NOW + 9500);
});

test('a new run clears the traces of the old one, even when its data are older', () => {
  const model = start();
  applyUpdate(model, {
    spectra: [
      { spectrum: spectrum(), arrivedMs: NOW },
      { spectrum: spectrum({ trace: 'run' }), arrivedMs: NOW },
    ],
  });
  const old = spectrum({ run: 'run389', trace: 'progress', newestUtcMs: NOW - 86_400_000 });
  applyUpdate(model, { spectra: [{ spectrum: old, arrivedMs: NOW }] });
  expect(model.spectra.run.value).toBeNull();
  expect(model.spectra.latest.value).toBeNull();
  expect(model.spectra.progress.value?.run).toBe('run389');
  expect(model.freshness.value.liveness).toBe('behind');
});

test('another kind of engine during the visit is a failover; the first one is not', () => {
  const model = start();
  applyUpdate(model, {
    engine: { description: { kind: 'gpu', name: 'NVIDIA', why: '' }, trouble: null },
    spectra: [],
  });
  expect(model.failover.value).toBeNull();
  applyUpdate(model, {
    engine: { description: { kind: 'wasm', name: '2 threads', why: 'device lost' }, trouble: null },
    spectra: [],
  });
  expect(model.failover.value).toMatchObject({ from: { kind: 'gpu' }, to: { kind: 'wasm' } });
  expect(model.notices.value[0]?.code).toBe('engine-failover');
  applyUpdate(model, {
    engine: { description: { kind: 'gpu', name: 'NVIDIA', why: 'back again' }, trouble: null },
    spectra: [],
  });
  expect(model.notices.value).toEqual([]);
});

test('the bridge’s clock corrects this machine’s', () => {
  const model = start();
  const late = bridgeState({ utc: new Date(NOW + 3_600_000).toISOString() });
  applyUpdate(model, {
    state: { state: late, arrivedMs: NOW },
    spectra: [{ spectrum: spectrum({ newestUtcMs: NOW + 3_599_000 }), arrivedMs: NOW }],
  });
  expect(model.freshness.value).toMatchObject({ liveness: 'live', ageSeconds: 1 });
});

test('attempts that fail do not make a lost connection any younger', () => {
  const model = start();
  applyUpdate(model, { connection: { phase: 'lost', reason: 'a', sinceMs: NOW }, spectra: [] });
  applyUpdate(model, { connection: { phase: 'lost', reason: 'b', sinceMs: NOW + 9000 }, spectra: [] });
  expect(model.connection.value).toEqual({ phase: 'lost', reason: 'b', sinceMs: NOW });
});

test('those who do not see the plot are told the same in a sentence', () => {
  const model = start();
  expect(spokenSummary(model)).toContain('Waiting for the first file');
  applyUpdate(model, { spectra: [{ spectrum: spectrum(), arrivedMs: NOW }] });
  expect(spokenSummary(model).replaceAll('\u202f', ' ')).toBe(
    'Run run404 is live, newest datum 0.5 s old. 3 files, 1.05 s integrated.',
  );
  model.nowMs.value = NOW + 60_000;
  expect(spokenSummary(model)).toMatch(/^Stale: no new data/);
});

const row = (file: number) => ({
  run: 'run404',
  firstFile: file,
  lastFile: file,
  files: 1,
  slices: 2731,
  slicesExpected: 2731,
  startMs: NOW + file * 4194,
  endMs: NOW + (file + 1) * 4194,
  totalPower: 1,
  mean: new Float32Array(geometry.bins),
});

test('a pause keeps the picture, not the data: what came meanwhile is there when it ends', () => {
  const model = start();
  applyUpdate(model, { spectra: [{ spectrum: spectrum(), arrivedMs: NOW }], rows: [row(7)] });
  const before = model.spectra.latest.value;
  pause(model);
  for (const file of [8, 9])
    applyUpdate(model, {
      spectra: [{ spectrum: spectrum({ file, newestUtcMs: NOW + file }), arrivedMs: NOW + 60_000 }],
      rows: [row(file)],
      holds: null,
    });
  expect(model.spectra.latest.value).toBe(before);
  expect(model.rows.value).toHaveLength(1);
  // A paused display is not a stale one: data do come.
  expect(model.newest.value).toEqual({ utcMs: NOW + 9, arrivedMs: NOW + 60_000 });
  goLive(model);
  expect(model.spectra.latest.value?.file).toBe(9);
  expect(model.rows.value.map(({ firstFile }) => firstFile)).toEqual([7, 8, 9]);
  expect(model.pausedMs.value).toBeNull();
});

test('a pause that nobody ends costs no more than the newest of each', () => {
  const model = start();
  pause(model);
  for (let file = 0; file < 500; file++)
    applyUpdate(model, { spectra: [{ spectrum: spectrum({ file }), arrivedMs: NOW }] });
  expect(model.waiting.spectra.size).toBe(1);
  goLive(model);
  expect(model.waiting.spectra.size).toBe(0);
  expect(model.spectra.latest.value?.file).toBe(499);
});

test('a pause hides no clipping, and another run does not inherit it', () => {
  const model = start();
  const clips = spectrum({ trace: 'run', time: healthy(2731, geometry.bins, { clipped: 99 }) });
  applyUpdate(model, { spectra: [{ spectrum: spectrum(), arrivedMs: NOW }] });
  pause(model);
  applyUpdate(model, { spectra: [{ spectrum: { ...clips, trace: 'latest' }, arrivedMs: NOW }] });
  expect(model.adc.value.latest?.clipped).toBe(1);
  expect(model.adcNow.value.latest?.clipped).toBe(99);
  expect(model.notices.value.map(({ code }) => code)).toContain('adc-clipping');
  goLive(model);
  expect(model.adc.value.latest?.clipped).toBe(99);
  applyUpdate(model, { spectra: [{ spectrum: clips, arrivedMs: NOW }] });
  applyUpdate(model, { spectra: [{ spectrum: spectrum({ run: 'next' }), arrivedMs: NOW }] });
  expect(model.adcNow.value).toMatchObject({ run: null, latest: { clipped: 1 } });
});
