/** What excess and kurtosis are of: never of a stored row, whose sample std nobody keeps. */
import type { Model } from '../model/model.ts';
import { storedOf } from '../model/stored.ts';
import { TRACE_NAMES } from './names.ts';

export const analysedName = (model: Model): string =>
  `${TRACE_NAMES[model.view.of.value]}${storedOf(model).value === null ? '' : ' at the pause, not of the stored row'}`;
