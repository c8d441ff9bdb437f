/**
 * The lines of the spectrum as they are to be drawn: traces and holds as they come, or against the reference.
 */
import { computed, type ReadonlySignal } from '@preact/signals';
import type { Averaged } from '../../analysis/display.ts';
import { against } from '../../analysis/reference.ts';
import type { PowerScale } from '../../analysis/power.ts';
import type { Model } from './model.ts';
import { withoutSpread } from './no-spread.ts';
import { storedOf } from './stored.ts';
import { LINES, type LineName } from './view.ts';

type Lines = Readonly<Record<LineName, ReadonlySignal<Averaged | null>>>;

/** Linear power as published, without any reference. */
function plain(model: Model, line: LineName): Averaged | null {
  const stored = storedOf(model).value;
  if (stored !== null && (line === 'run' || line === 'progress')) return null;
  if (stored !== null && line === 'latest') return stored;
  switch (line) {
    case 'run':
    case 'latest':
    case 'progress':
      return model.spectra[line].value;
    case 'peak':
    case 'least': {
      const held = model.holds.value;
      if (held === null) return null;
      const mean = line === 'peak' ? held.peak : held.least;
      return { slices: held.slices, mean, std: withoutSpread(mean.length) };
    }
    case 'reference':
      return model.reference.value;
  }
}

/** The mode that is in force: without a reference of this length there is nothing to divide by. */
export function referenceMode(model: Model) {
  const reference = model.reference.value;
  return reference?.mean.length === model.geometry.value.bins ? model.referenceMode.value : 'off';
}

/** A difference of powers may be negative, so it is never shown in decibels. */
export const shownScale = (model: Model): PowerScale =>
  referenceMode(model) === 'difference' ? 'linear' : model.view.scale.value;

function lineOf(model: Model, line: LineName): Averaged | null {
  const own = plain(model, line);
  const reference = model.reference.value;
  const mode = referenceMode(model);
  if (own === null || reference === null || mode === 'off' || own.mean.length !== reference.mean.length)
    return own;
  // Against itself the reference is 1 or 0 everywhere, which the axis says already.
  return line === 'reference' ? null : against(own, reference, mode);
}

/** Whether a line is to be drawn; a stored spectrum is, whatever the legend says of the latest file. */
export const isShown = (model: Model, line: LineName): boolean =>
  model.view.traces.value.has(line) || (line === 'latest' && storedOf(model).value !== null);

const MADE = new WeakMap<Model, Lines>();

/** The same signals for everybody who asks about this model. */
export function linesOf(model: Model): Lines {
  const made = MADE.get(model);
  if (made !== undefined) return made;
  const lines = Object.fromEntries(
    LINES.map((line) => [line, computed(() => lineOf(model, line))]),
  ) as unknown as Lines;
  MADE.set(model, lines);
  return lines;
}
