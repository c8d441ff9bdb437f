/**
 * How uPlot is set up for a plot over frequency: axes, series, cursor. Nothing here changes while a plot lives;
 * what does change (ranges, colours, units) is asked for through `PlotSource` at every drawing.
 */
import type uPlot from 'uplot';
import type { Range } from '../../analysis/range.ts';
import type { AxisKind } from '../model/view.ts';
import { fitting, frequencySplits, frequencyTicks, frequencyTitle } from './axes.ts';
import type { Content } from './content.ts';
import { isPan } from './gestures.ts';
import type { Gutters } from './gutters.ts';
import type { Palette } from './palette.ts';
import type { Geometry } from '../../../bridge/protocol/geometry.ts';

export interface PlotSource {
  readonly palette: () => Palette;
  readonly x: () => Range;
  readonly geometry: () => Geometry;
  readonly axis: () => AxisKind;
  readonly content: Content;
  /** Whether this plot carries the labels of the shared frequency axis. */
  readonly isLowest: boolean;
  /** Bin that the cursor means at this bin: the strongest one under the pixel. */
  readonly snap: (u: uPlot, bin: number) => number;
}

export interface PlotSize {
  readonly width: number;
  readonly height: number;
  readonly remPixels: number;
  readonly family: string;
  readonly gutters: Gutters;
}

/** A box smaller than this (CSS pixels) is a click; one flatter than this zooms the frequency only. */
const LEAST_BOX = 5;
const FLAT_BOX = 40;

/** What the axes of every plot have in common. */
export function commonAxis(palette: () => Palette, remPixels: number, family: string): uPlot.Axis {
  const font = `${remPixels * 0.88}px ${family}`;
  return {
    font,
    labelFont: font,
    stroke: () => palette().text,
    grid: { stroke: () => palette().grid, width: 1 },
    ticks: { stroke: () => palette().axis, width: 1, size: remPixels * 0.3 },
    border: { show: true, stroke: () => palette().axis, width: 1 },
    labelGap: 0,
    gap: remPixels * 0.25,
  };
}

function axes(source: PlotSource, { remPixels, family, gutters }: PlotSize): uPlot.Axis[] {
  const common = commonAxis(source.palette, remPixels, family);
  const { content } = source;
  const x: uPlot.Axis = {
    ...common,
    scale: 'x',
    splits: () => frequencySplits(source.x(), source.axis(), source.geometry()),
    ...(source.isLowest
      ? {
          size: remPixels * 1.7,
          labelSize: remPixels * 1.5,
          label: () => frequencyTitle(source.x(), source.axis(), source.geometry()),
          values: (_u, ticks) => frequencyTicks(ticks, source.x(), source.axis(), source.geometry()),
        }
      : { size: remPixels * 0.4, values: (_u, ticks) => ticks.map(() => '') }),
  };
  const y: uPlot.Axis = {
    ...common,
    scale: 'y',
    space: remPixels * 2.2,
    size: gutters.left - gutters.label,
    labelSize: gutters.label,
    label: (u) => fitting(content.yTitle(), u.bbox.height / devicePixelRatio, remPixels * 0.88),
    values: (_u, ticks, _axis, _space, increment) => content.yTicks(ticks, increment),
    ...(content.yIncrements === undefined ? {} : { incrs: content.yIncrements }),
  };
  return [x, y];
}

function cursor(source: PlotSource, remPixels: number): uPlot.Cursor {
  return {
    // One line runs through all plots; it lies over them.
    x: false,
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

export function plotOptions(source: PlotSource, size: PlotSize, hooks: uPlot.Hooks.Arrays): uPlot.Options {
  const { remPixels, gutters } = size;
  const { content } = source;
  const followSource = (range: () => Range) => (): uPlot.Range.MinMax => [range().min, range().max];
  return {
    width: size.width,
    height: size.height,
    padding: [remPixels * 0.4, gutters.right, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: false, auto: false, range: followSource(source.x) },
      y: { auto: false, range: followSource(() => content.y()) },
    },
    series: [
      {},
      ...content.marked().map(
        (_, i): uPlot.Series => ({
          scale: 'y',
          auto: false,
          pxAlign: 0,
          stroke: () => content.marked()[i]?.colour(source.palette()) ?? 'transparent',
          points: { show: false },
          // The content draws itself, before the axes' ticks and after their grid.
          paths: () => null,
        }),
      ),
    ],
    axes: axes(source, size),
    cursor: cursor(source, remPixels),
    hooks,
  };
}
