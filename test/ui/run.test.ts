/** The run on the page: where annotations can stand, and what a page still shows of an average that was ended. */
import { expect, test } from 'vitest';
import type { Annotation } from '../../bridge/protocol/operator.ts';
import { applyUpdate, createModel, goLive, pause } from '../../web/ui/model/model.ts';
import { readView } from '../../web/ui/model/view.ts';
import { annotateHere, binOfAnnotation, offeredPlaces, toggleRun } from '../../web/ui/run/places.ts';
import { bridgeState, geometry, NOW, open, spectrum } from './states.ts';

const options = { isKiosk: false, isSecure: true, hasToken: true };
const newModel = (isOffline = false) =>
  createModel(readView(new URLSearchParams()), { ...options, isOffline });
const received = (state = bridgeState()) => ({ state: { state, arrivedMs: NOW }, spectra: [] });
const operation = { id: 'command-1', utc: new Date(NOW).toISOString(), who: 'shift', what: 'reset' };
const ended = bridgeState({
  run: { ...bridgeState().run, filesDone: 0, slicesDone: 0, resetUtc: operation.utc },
  operations: [operation],
});

test('an annotation can stand at the cursor, at marker A, at a moment and now', () => {
  const pointed = { bin: geometry.bins / 2 + 10, utcMs: NOW + 0.4 };
  const places = offeredPlaces(pointed, 0, geometry);
  expect(places.map(({ name }) => name)).toEqual(['cursor', 'a', 'moment', 'now']);
  const [cursor, a, moment, now] = places.map(({ at }) => at());
  const width = geometry.sampleRateHz / geometry.bins;
  expect(cursor).toEqual({ kind: 'frequency', hz: geometry.loHz + 10 * width });
  expect(a).toEqual({ kind: 'frequency', hz: geometry.loHz - geometry.sampleRateHz / 2 });
  expect(moment).toEqual({ kind: 'moment', utcMs: NOW });
  expect(now).toMatchObject({ kind: 'moment', utcMs: expect.any(Number) });
  expect(offeredPlaces({ bin: null, utcMs: null }, null, geometry).map(({ name }) => name)).toEqual(['now']);
});

test('an annotated frequency lies where its bin lies, whatever the number of bins was', () => {
  const at = { kind: 'frequency', hz: geometry.loHz + geometry.sampleRateHz / 4 } as const;
  const annotation: Annotation = { id: 'note-0001', at, text: 'x', author: '', madeUtc: '' };
  expect(binOfAnnotation(annotation, geometry)).toBe(0.75 * geometry.bins);
  expect(binOfAnnotation({ ...annotation, at: { kind: 'moment', utcMs: NOW } }, geometry)).toBeNull();
});

test('the key for an annotation keeps what was under the cursor, and leaves the drawer open', () => {
  const model = newModel();
  model.cursorBin.value = 7;
  annotateHere(model);
  model.cursorBin.value = null;
  annotateHere(model);
  expect(model.openPanel.value).toBe('run');
  expect(model.pointed.value).toEqual({ bin: null, utcMs: null });
  model.cursorBin.value = 7;
  annotateHere(model);
  expect(model.pointed.value).toEqual({ bin: 7, utcMs: null });
  toggleRun(model);
  expect(model.openPanel.value).toBeNull();
});

test('without a bridge there is no drawer of the run, and the page says so', () => {
  const model = newModel(true);
  toggleRun(model);
  expect(model.openPanel.value).toBeNull();
  expect(model.message.value).toContain('kept by a bridge');
});

test('an average that was ended leaves the screen at once; one that a bridge has not yet restored does not', () => {
  const model = newModel();
  const average = { spectrum: spectrum({ trace: 'run', run: 'run404' }), arrivedMs: NOW };
  applyUpdate(model, { ...received(), connection: open, spectra: [average] });
  applyUpdate(model, received({ ...ended, operations: [] }));
  expect(model.spectra.run.value).not.toBeNull();
  applyUpdate(model, received(ended));
  expect(model.spectra.run.value).toBeNull();
});

test('a paused view stands still also when the average is ended, and shows none of it when it goes on', () => {
  const model = newModel();
  const average = (slices: number) => ({
    spectrum: spectrum({ trace: 'run', run: 'run404', slices }),
    arrivedMs: NOW,
  });
  applyUpdate(model, { ...received(), connection: open, spectra: [average(10)] });
  pause(model);
  applyUpdate(model, { ...received(), spectra: [average(20)] });
  applyUpdate(model, received(ended));
  expect(model.spectra.run.value?.slices).toBe(10);
  goLive(model);
  expect(model.spectra.run.value).toBeNull();
});

test('annotations are the same object while they are the same, so that nothing is drawn anew', () => {
  const model = newModel();
  const annotations = () => [
    { id: 'note-0001', at: { kind: 'moment', utcMs: NOW }, text: 'x', author: '', madeUtc: '' } as const,
  ];
  applyUpdate(model, received(bridgeState({ annotations: annotations() })));
  const before = model.annotations.value;
  applyUpdate(model, received(bridgeState({ annotations: annotations() })));
  expect(model.annotations.value).toBe(before);
  applyUpdate(model, received(bridgeState()));
  expect(model.annotations.value).toEqual([]);
});
