/**
 * Where an annotation can stand: what was under the cursor when a person asked, marker A, or now.
 */
import type { Annotation, AnnotationPlace } from '../../../bridge/protocol/operator.ts';
import { binFrequencyHz, binWidthHz, type Geometry } from '../../../bridge/protocol/geometry.ts';
import { offsetFrequency, utc, utcShort } from '../format/quantities.ts';
import type { Model, Pointed } from '../model/model.ts';

export interface OfferedPlace {
  readonly name: 'cursor' | 'a' | 'moment' | 'now';
  readonly label: string;
  /** Asked for when it is sent: «now» goes on. */
  readonly at: () => AnnotationPlace;
}

const frequency = (g: Geometry, bin: number): AnnotationPlace => ({
  kind: 'frequency',
  hz: binFrequencyHz(g, bin),
});

const NOTHING: Pointed = { bin: null, utcMs: null };

/** Opens or closes the drawer of the run; without a bridge there is no run that others share. */
export function toggleRun(model: Model): void {
  if (model.isOffline) {
    model.message.value = 'Runs and annotations are kept by a bridge; this page has none.';
    return;
  }
  model.pointed.value = NOTHING;
  model.openPanel.value = model.openPanel.peek() === 'run' ? null : 'run';
}

/** The same, for an annotation of what is under the cursor now: a form will be there in a moment. */
export function annotateHere(model: Model): void {
  const pointed = { bin: model.cursorBin.peek(), utcMs: model.cursorMs.peek() };
  if (model.openPanel.peek() !== 'run') toggleRun(model);
  model.pointed.value = pointed;
}

export const isPointed = ({ bin, utcMs }: Pointed): boolean => bin !== null || utcMs !== null;

/** What can be chosen, best first. */
export function offeredPlaces(pointed: Pointed, a: number | null, g: Geometry): readonly OfferedPlace[] {
  const places: OfferedPlace[] = [];
  const { bin, utcMs } = pointed;
  const offset = (it: number): string => offsetFrequency(binFrequencyHz(g, it) - g.loHz);
  if (bin !== null && bin < g.bins)
    places.push({ name: 'cursor', label: `cursor, ${offset(bin)}`, at: () => frequency(g, bin) });
  if (a !== null && a < g.bins)
    places.push({ name: 'a', label: `marker A, ${offset(a)}`, at: () => frequency(g, a) });
  if (utcMs !== null) {
    const whole = Math.round(utcMs);
    places.push({ name: 'moment', label: utc(whole), at: () => ({ kind: 'moment', utcMs: whole }) });
  }
  places.push({ name: 'now', label: 'now', at: () => ({ kind: 'moment', utcMs: Date.now() }) });
  return places;
}

/** Bin, with its fraction, at which an annotation stands; null for a moment. */
export const binOfAnnotation = ({ at }: Annotation, g: Geometry): number | null =>
  at.kind === 'frequency' ? (at.hz - g.loHz) / binWidthHz(g) + g.bins / 2 : null;

export const placeText = ({ at }: Annotation, g: Geometry, nowMs: number): string =>
  at.kind === 'frequency' ? offsetFrequency(at.hz - g.loHz) : utcShort(at.utcMs, nowMs);
