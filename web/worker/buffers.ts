/** The buffers of an update, which go to the page without being copied. */
import type { Analysis } from '../analysis/analysis.ts';
import type { MonitorUpdate } from './updates.ts';

const arraysOf = ({ baseline, z, cut, kurtosis }: Analysis) => [baseline, z, cut, kurtosis];

/** Mean and std of a spectrum may share one. */
export const buffersOf = (update: MonitorUpdate): Transferable[] => [
  ...new Set([
    ...update.spectra.flatMap(({ spectrum }) => [spectrum.mean.buffer, spectrum.std.buffer]),
    ...(update.rows ?? []).map(({ mean }) => mean.buffer),
    ...(update.holds ? [update.holds.peak.buffer, update.holds.least.buffer] : []),
    ...(update.analysis ? arraysOf(update.analysis).map(({ buffer }) => buffer) : []),
  ]),
];
