/** Answers of processors that lie: whatever passes the bridge's checks leaves the run's sums usable. */
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { faultOf } from '../../bridge/dispatch/verify.ts';
import { clipLevelOf, peakOf } from '../../bridge/protocol/clipping.ts';
import { addBlock, emptyMoments, emptyTimeSums } from '../../bridge/protocol/moments.ts';
import { encodeBlockHeader } from '../../bridge/protocol/frames/block.ts';
import { fuzz } from './fuzz.ts';

const BINS = 256;
/** One slice of a constant: the truth is simple enough to be written down. */
const LEVEL = 0.5;
const ENERGY = 2 * BINS * LEVEL ** 2;

function truth() {
  const mean = new Float32Array(BINS);
  mean[0] = BINS * ENERGY;
  const time = {
    ...emptyTimeSums(),
    samples: BINS,
    minI: LEVEL,
    maxI: LEVEL,
    minQ: LEVEL,
    maxQ: LEVEL,
    sumI: BINS * LEVEL,
    sumQ: BINS * LEVEL,
    sumII: BINS * LEVEL ** 2,
    sumQQ: BINS * LEVEL ** 2,
    sumIQ: BINS * LEVEL ** 2,
  };
  return { count: 1, scaleExponent: 0, mean, m2: new Float32Array(BINS), time };
}

const block = {
  id: 1,
  file: 1,
  bins: BINS,
  slices: 1,
  segments: [{ value: Buffer.alloc(8 * BINS), slices: 1 }],
  energy: ENERGY,
  clipLevel: Infinity,
};

const number = fc.oneof(
  fc.constantFrom(0, -0, 1, -1, Number.NaN, Infinity, -Infinity, 1e-320, 1e308, -1e308),
  fc.double(),
);
type TimeField = keyof ReturnType<typeof emptyTimeSums>;
const lie = fc.oneof(
  fc.record({ where: fc.constantFrom('mean', 'm2'), at: fc.nat(BINS - 1), value: number }),
  fc.record({
    where: fc.constantFrom(...(Object.keys(emptyTimeSums()) as TimeField[])),
    at: fc.constant(0),
    value: number,
  }),
  fc.record({ where: fc.constantFrom('count', 'scaleExponent'), at: fc.constant(0), value: fc.integer() }),
);

fuzz('answers of processors', fc.array(lie, { maxLength: 3 }), (lies) => {
  const answer = truth();
  for (const { where, at, value } of lies) {
    if (where === 'mean' || where === 'm2') answer[where][at] = value;
    else if (where === 'count' || where === 'scaleExponent') answer[where] = value;
    else answer.time[where] = value;
  }
  const fault = faultOf(block, answer);
  if (lies.length === 0) expect(fault).toBeNull();
  if (fault !== null) return;
  const sums = emptyMoments(BINS);
  addBlock(sums, answer);
  expect(sums.count).toBe(1);
  expect([...sums.mean, ...sums.m2].every(Number.isFinite)).toBe(true);
  expect(Object.values(sums.time).every(Number.isFinite)).toBe(true);
  // The next block's clip level follows from the extremes.
  const { minI, maxI, minQ, maxQ } = sums.time;
  expect([minI <= maxI, minQ <= maxQ]).toEqual([true, true]);
  encodeBlockHeader({ ...block, block: 1, epoch: 1, clipLevel: clipLevelOf(peakOf(sums.time)) });
});
