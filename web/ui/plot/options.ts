/**
 * How uPlot is set up for a spectrum: axes, series, cursor. Nothing here changes while a plot lives; what does
 * change (ranges, colours, units) is asked for through `PlotSource` at every drawing.
 */
import type uPlot from 'uplot';
import type { PowerScale, PowerUnit } from '../../analysis/power.ts';
import type { Range } from '../../analysis/range.ts';
import { TRACES } from '../model/view.ts';
import { frequencyTicks, frequencyTitle, powerTicks, powerTitle } from './axes.ts';
import { isPan } from './gestures.ts';
import type { Palette } from './palette.ts';

export interface PlotSource {
  readonly palette: () => Palette;
  readonly x: () => Range;
  readonly y: () => Range;
  /** No spectrum yet: the vertical axis carries no numbers, because there are none. */
  readonly isEmpty: () => boolean;
  readonly unit: () => PowerUnit;
  readonly scale: () => PowerScale;
  readonly loHz: () => number;
  /** Bin that the cursor means at this bin: the strongest one under the pixel. */
  readonly snap: (u: uPlot, bin: number) => number;
}

/** A box smaller than this (CSS pixels) is a click; one flatter than this zooms the frequency only. */
const LEAST_BOX = 5;
const FLAT_BOX = 40;

function series(source: PlotSource): uPlot.Series[] {
  return TRACES.map((trace) => ({
    scale: 'y',
    auto: false,
    pxAlign: 0,
    stroke: () => source.palette().trace[trace],
    points: { show: false },
    // The plot draws the trace itself when its turn comes.
    paths: () => null,
  }));
}

function axes(source: PlotSource, remPixels: number, family: string): uPlot.Axis[] {
  const font = `${remPixels * 0.92}px ${family}`;
  const common: uPlot.Axis = {
    font,
    labelFont: font,
    stroke: () => source.palette().text,
    grid: { stroke: () => source.palette().grid, width: 1 },
    ticks: { stroke: () => source.palette().axis, width: 1, size: remPixels * 0.35 },
    border: { show: true, stroke: () => source.palette().axis, width: 1 },
    labelSize: remPixels * 1.9,
    labelGap: remPixels * 0.2,
    gap: remPixels * 0.3,
  };
  const x: uPlot.Axis = {
    ...common,
    scale: 'x',
    space: remPixels * 7,
    size: remPixels * 2,
    label: () => frequencyTitle(source.x(), source.loHz()),
    values: (_u, ticks, _axis, _space, increment) => frequencyTicks(ticks, increment, source.x()),
  };
  const y: uPlot.Axis = {
    ...common,
    scale: 'y',
    space: remPixels * 3,
    size: remPixels * 3.9,
    label: () => powerTitle(source.y(), source.unit(), source.scale()),
    values: (_u, ticks, _axis, _space, increment) =>
      source.isEmpty() ? ticks.map(() => '') : powerTicks(ticks, increment, source.y(), source.scale()),
  };
  return [x, y];
}

function cursor(source: PlotSource, remPixels: number): uPlot.Cursor {
  return {
    y: false,
    drag: { x: true, y: true, uni: FLAT_BOX, dist: LEAST_BOX, setScale: false },
    points: { size: remPixels * 0.5, width: 1.5 },
    dataIdx: (u, _series, bin) => source.snap(u, bin),
    bind: {
      mousedown: (_u, _target, handler) => (event) => (isPan(event) ? null : handler(event)),
      // uPlot's own double click resets to ranges that are not ours.
      dblclick: () => () => null,
    },
  };
}

export function plotOptions(
  source: PlotSource,
  size: { width: number; height: number; remPixels: number; family: string },
  hooks: uPlot.Hooks.Arrays,
): uPlot.Options {
  const { remPixels } = size;
  const followSource = (range: () => Range) => (): uPlot.Range.MinMax => [range().min, range().max];
  return {
    width: size.width,
    height: size.height,
    padding: [remPixels * 0.6, remPixels * 1.6, 0, remPixels * 0.4],
    legend: { show: false },
    scales: {
      x: { time: false, auto: false, range: followSource(source.x) },
      y: { auto: false, range: followSource(source.y) },
    },
    series: [{}, ...series(source)],
    axes: axes(source, remPixels, size.family),
    cursor: cursor(source, remPixels),
    hooks,
  };
}
