/**
 * How long and how finely was averaged: integration time and resolution bandwidth.
 */
import { binWidthHz, type Geometry } from '../../bridge/protocol/geometry.ts';
import type { WindowFigures } from '../../bridge/protocol/window.ts';

/** Seconds of data in so many slices, without gaps and overlaps. */
export const integrationSeconds = (slices: number, g: Geometry): number => (slices * g.bins) / g.sampleRateHz;

/** Resolution bandwidth in hertz: that of a bin, times the equivalent noise bandwidth of the window. */
export const resolutionBandwidthHz = (g: Geometry, { enbwBins }: WindowFigures): number =>
  enbwBins * binWidthHz(g);
