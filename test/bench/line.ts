/** A straight line through measured points, by least squares, with the error of its slope. */

export interface Line {
  readonly slope: number;
  /** Standard error of the slope, from the scatter about the line; NaN for fewer than three points. */
  readonly error: number;
}

export function fitLine(points: readonly (readonly [x: number, y: number])[]): Line {
  const n = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const sxx = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const sxy = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const slope = sxy / sxx;
  const residuals = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return { slope, error: n < 3 ? Number.NaN : Math.sqrt(residuals / (n - 2) / sxx) };
}
