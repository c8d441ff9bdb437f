/**
 * How long and how finely was averaged: integration time and resolution bandwidth.
 */
import { binWidthHz, type Geometry } from '../../bridge/protocol/geometry.ts';

/** Seconds of data in so many slices, without gaps and overlaps. */
export const integrationSeconds = (slices: number, g: Geometry): number => (slices * g.bins) / g.sampleRateHz;

/** Equivalent noise bandwidth of the unwindowed transform, in bins. */
const RECTANGULAR_ENBW_BINS = 1;

/** Resolution bandwidth in hertz of the unwindowed spectrum. */
export const resolutionBandwidthHz = (g: Geometry): number => RECTANGULAR_ENBW_BINS * binWidthHz(g);
