import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { offScaleColumns } from '../../web/ui/plot/off-scale.ts';
import { bandPath, dotPath, linePath, type Projection } from '../../web/ui/plot/paths.ts';

/** Records what is drawn: the geometry is the subject here, not the canvas. */
class RecordedPath {
  readonly steps: (readonly [pen: 'M' | 'L' | 'Z', x: number, y: number])[] = [];
  moveTo(x: number, y: number): void {
    this.steps.push(['M', x, y]);
  }
  lineTo(x: number, y: number): void {
    this.steps.push(['L', x, y]);
  }
  closePath(): void {
    this.steps.push(['Z', 0, 0]);
  }
}
const steps = (path: Path2D) => (path as unknown as RecordedPath).steps;

beforeAll(() => void vi.stubGlobal('Path2D', RecordedPath));
afterAll(() => void vi.unstubAllGlobals());

/** Values 0 to 100 on rows 100 to 0. */
const projection = (dx: number, to: number, from = 0): Projection => ({
  x0: 10,
  dx,
  y0: 100,
  dy: -1,
  top: 0,
  bottom: 100,
  from,
  to,
});

test('a line goes through the bins; NaN lifts the pen', () => {
  const path = linePath(Float64Array.of(1, 2, Number.NaN, 4, 5), projection(2, 5));
  expect(steps(path)).toEqual([
    ['M', 10, 99],
    ['L', 12, 98],
    ['M', 16, 96],
    ['L', 18, 95],
  ]);
});

test('values beyond the axis and infinities are clipped just outside it', () => {
  const path = linePath(Float64Array.of(-Infinity, 1e9), projection(2, 2));
  expect(steps(path).map(([, , y]) => y)).toEqual([116, -16]);
});

test('wide bins are steps, centred on the bin', () => {
  const path = linePath(Float64Array.of(1, 2), projection(20, 2));
  expect(steps(path)).toEqual([
    ['M', 0, 99],
    ['L', 20, 99],
    ['L', 20, 98],
    ['L', 40, 98],
  ]);
});

test('where bins share a column, a line of one bin is not lost, and the cost is that of the columns', () => {
  const bins = 8192;
  const values = new Float64Array(bins).fill(10);
  values[5000] = 90;
  values[6000] = 2;
  const path = steps(linePath(values, projection(1000 / bins, bins)));
  expect(path.length).toBeLessThanOrEqual(4 * 1001);
  const rows = path.map(([, , y]) => y);
  expect(Math.min(...rows)).toBe(10);
  expect(Math.max(...rows)).toBe(98);
});

test('dots: one per bin in view', () => {
  const path = dotPath(Float64Array.of(1, Number.NaN, 3, 400), projection(4, 4), 2);
  expect(steps(path)).toEqual([
    ['M', 9, 99],
    ['L', 11, 99],
    ['M', 17, 97],
    ['L', 19, 97],
  ]);
});

test('a band is one polygon per stretch, its lower edge in dB clipped at the axis', () => {
  const arrays = {
    mean: Float64Array.of(5, 5, 5),
    high: Float64Array.of(6, Number.NaN, 8),
    low: Float64Array.of(4, Number.NaN, -Infinity),
  };
  const path = steps(bandPath(arrays, projection(2, 3)));
  expect(path.filter(([pen]) => pen === 'M')).toEqual([
    ['M', 9, 94],
    ['M', 13, 92],
  ]);
  expect(path.filter(([pen]) => pen === 'Z')).toHaveLength(2);
  expect(path.some(([, , y]) => y === 116)).toBe(true);
  expect(path.every(([, x, y]) => Number.isFinite(x) && Number.isFinite(y))).toBe(true);
});

test('marks stand where values are off the scale, merged where they would touch', () => {
  const values = Float64Array.of(50, 200, 50, -30, Number.NaN, -Infinity, 300);
  expect(offScaleColumns(values, projection(10, 7), 'above', 1)).toEqual([20, 70]);
  expect(offScaleColumns(values, projection(10, 7), 'below', 1)).toEqual([40]);
  expect(offScaleColumns(values, projection(1, 7), 'above', 1)).toEqual([11]);
});
