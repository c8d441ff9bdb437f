import { expect, test } from 'vitest';
import { isSupportedLength } from '../../bridge/protocol/geometry.ts';
import { StockhamFft } from '../../web/engine/ts/stockham.ts';
import { windowCoefficients } from '../../bridge/protocol/window.ts';
import { gaussian } from './accuracy.ts';
import { ReferenceFft } from './reference.ts';

/** Float64: 13 stages of rounding, relative to the rms of the spectrum. */
const FLOAT64_TOLERANCE = 1e-14;
const LENGTHS = Array.from({ length: 8193 }, (_, n) => n).filter((n) => isSupportedLength(n));

test('amplitude and phase at every length', () => {
  for (const bins of LENGTHS) {
    const i = gaussian(bins, bins);
    const q = gaussian(bins, bins + 1);
    const found = new StockhamFft(bins).load(i, q, windowCoefficients('none', bins)).transform();
    const expected = new ReferenceFft(bins);
    expected.transform(i, q);
    let worst = 0;
    for (let k = 0; k < bins; k++) {
      const off = Math.hypot(
        (found.re[k] as number) - (expected.re[k] as number),
        (found.im[k] as number) - (expected.im[k] as number),
      );
      worst = Math.max(worst, off / Math.sqrt(2 * bins));
    }
    expect(worst).toBeLessThan(FLOAT64_TOLERANCE);
  }
});

test('other lengths are refused', () => {
  expect(() => new StockhamFft(1000)).toThrow('expected a length 2^a·3^b, found 1000');
});
