import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { blockHeaderBytes, decodeBlock, encodeBlockHeader } from '../../bridge/protocol/frames/block.ts';
import { decodeMoments, encodeMoments, momentsFrameBytes } from '../../bridge/protocol/frames/moments.ts';
import { frameType } from '../../bridge/protocol/frames/prefix.ts';
import { decodeSpectrum, encodeSpectrum } from '../../bridge/protocol/frames/spectrum.ts';
import { FrameError, type FrameErrorCode, type MomentsFrame } from '../../bridge/protocol/frames.ts';
import type { TimeSums } from '../../bridge/protocol/moments.ts';
import { anyMoments, anySpectrum, BINS, blockFrame, detach, hexOf } from './samples.ts';

/** The code of the FrameError that this throws; anything else fails the test. */
function codeOf(act: () => unknown): FrameErrorCode | 'none' {
  try {
    act();
    return 'none';
  } catch (error) {
    if (error instanceof FrameError) return error.code;
    throw error;
  }
}

const CODES = ['none', 'not-a-frame', 'version', 'type', 'truncated', 'trailing', 'out-of-range'];

/** The same frame with some bytes replaced. */
function patched(frame: ArrayBuffer, at: number, ...bytes: number[]): ArrayBuffer {
  const copy = new Uint8Array(frame.slice(0));
  copy.set(bytes, at);
  return copy.buffer;
}

const header = encodeBlockHeader({
  block: 0x01020304,
  epoch: 5,
  file: 70001,
  bins: BINS,
  clipLevel: 1.5,
  segments: [{ slices: 2 }, { slices: 1 }],
});
const block = blockFrame(header, 3 * BINS * 2);

const time: TimeSums = {
  samples: 768,
  minI: -1,
  maxI: 2,
  minQ: -3,
  maxQ: 4,
  clipped: 5,
  sumI: 6,
  sumQ: 7,
  sumII: 8,
  sumQQ: 9,
  sumIQ: 10,
};

const moments: MomentsFrame = {
  block: 7,
  epoch: 8,
  computeMs: 0.5,
  moments: {
    count: 3,
    scaleExponent: -2,
    mean: new Float32Array(BINS).fill(1),
    m2: new Float32Array(BINS).fill(2),
    time,
  },
};
const answer = encodeMoments(moments);

const spectrum = detach(
  encodeSpectrum({
    sequence: 9,
    trace: 'run',
    run: 'run404~27',
    file: 70001,
    files: 12,
    slices: 2 ** 33,
    slicesExpected: 0,
    newestUtcMs: 1_795_000_000_123.5,
    time,
    mean: new Float32Array(BINS).fill(-1),
    std: new Float32Array(BINS).fill(0.5),
  }),
);

test('the block header is these bytes', () => {
  expect(hexOf(header, 0, 64)).toBe(
    '48530201 30000000 04030201 05000000 71110100 00010000 00000000 0000f83f' +
      ' 02000000 03000000 02000000 01000000',
  );
  expect(header.length).toBe(48);
  expect(
    hexOf(
      encodeBlockHeader({
        block: 1,
        epoch: 1,
        file: 0,
        bins: 3072,
        clipLevel: Infinity,
        segments: [{ slices: 40 }],
      }),
      0,
      48,
    ),
  ).toBe(
    '48530201 30000000 01000000 01000000 00000000 000c0000 00000000 0000f07f' +
      ' 01000000 28000000 28000000 00000000',
  );
});

test('the moments frame begins with these bytes', () => {
  expect(hexOf(answer, 0, 136)).toBe(
    '48530202 00010000 07000000 08000000 03000000 feffffff 00000000 0000e03f' +
      ' 00000000 00008840 00000000 0000f0bf 00000000 00000040 00000000 000008c0' +
      ' 00000000 00001040 00000000 00001440 00000000 00001840 00000000 00001c40' +
      ' 00000000 00002040 00000000 00002240 00000000 00002440 00000000 00000000' +
      ' 0000803f 0000803f',
  );
  expect(answer.byteLength).toBe(128 + 8 * BINS);
});

test('the spectrum frame begins with these bytes', () => {
  expect(hexOf(spectrum, 0, 164)).toBe(
    '48530203 00010000 09000000 71110100 0c000000 00000000 00000000 00000042' +
      ' 00b8e765 e51e7a42 02090000 00000000 00000000 00008840 00000000 0000f0bf' +
      ' 00000000 00000040 00000000 000008c0 00000000 00001040 00000000 00001440' +
      ' 00000000 00001840 00000000 00001c40 00000000 00002040 00000000 00002240' +
      ' 00000000 00002440 00000000 00000000 72756e34 30347e32 37000000 00000000' +
      ' 000080bf',
  );
});

test('a block reads back as it was sent, without a copy and aligned', () => {
  const decoded = decodeBlock(block);
  expect(decoded).toMatchObject({ block: 0x01020304, epoch: 5, file: 70001, bins: BINS, clipLevel: 1.5 });
  expect(decoded.segments).toEqual([
    { offset: 0, slices: 2 },
    { offset: 4 * BINS, slices: 1 },
  ]);
  expect(decoded.samples.buffer).toBe(block);
  expect(decoded.samples.byteOffset % 16).toBe(0);
  expect(decoded.samples.length).toBe(6 * BINS);
  expect(decoded.samples[6 * BINS - 1]).toBe(6 * BINS - 1);
});

test('any block header reads back, whatever its segments', () => {
  const segments = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(segments, fc.nat(), fc.double({ min: 1e-300, noNaN: true }), (slices, id, clipLevel) => {
      const any = encodeBlockHeader({
        block: id,
        epoch: 1,
        file: 2,
        bins: BINS,
        clipLevel,
        segments: slices.map((n) => ({ slices: n })),
      });
      const total = slices.reduce((sum, n) => sum + n, 0);
      const decoded = decodeBlock(blockFrame(any, total * BINS * 2));
      expect(any.length).toBe(blockHeaderBytes(slices.length));
      expect(any.length % 16).toBe(0);
      expect(decoded.block).toBe(id);
      expect(decoded.clipLevel).toBe(clipLevel);
      expect(decoded.segments.map((s) => s.slices)).toEqual(slices);
      expect(
        decoded.segments.every(
          (s, i) => s.offset === slices.slice(0, i).reduce((a, n) => a + n, 0) * 2 * BINS,
        ),
      ).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('any moments read back', () => {
  fc.assert(
    fc.property(anyMoments, (frame) => {
      expect(decodeMoments(encodeMoments(frame))).toEqual(frame);
    }),
    { numRuns: 50 },
  );
});

test('any spectrum reads back', () => {
  fc.assert(
    fc.property(anySpectrum, (frame) => {
      expect(decodeSpectrum(detach(encodeSpectrum(frame)))).toEqual(frame);
    }),
    { numRuns: 50 },
  );
});

test.each([
  ['block', block, decodeBlock],
  ['moments', answer, decodeMoments],
  ['spectrum', spectrum, decodeSpectrum],
] as const)('a %s frame cut at any length is truncated, and a longer one is trailing', (_, frame, decode) => {
  for (let length = 0; length < frame.byteLength; length++)
    expect(
      codeOf(() => decode(frame.slice(0, length))),
      `cut at ${length}`,
    ).toBe('truncated');
  const longer = new Uint8Array(frame.byteLength + 1);
  longer.set(new Uint8Array(frame));
  expect(codeOf(() => decode(longer.buffer))).toBe('trailing');
  expect(codeOf(() => decode(frame))).toBe('none');
});

test('magic, version and type are told apart', () => {
  expect(codeOf(() => frameType(patched(block, 0, 0x47)))).toBe('not-a-frame');
  expect(codeOf(() => frameType(patched(block, 2, 1)))).toBe('version');
  expect(codeOf(() => frameType(patched(block, 3, 9)))).toBe('type');
  expect(codeOf(() => decodeMoments(block))).toBe('type');
  expect(frameType(block)).toBe('block');
  expect(frameType(answer)).toBe('moments');
  expect(frameType(spectrum)).toBe('spectrum');
});

test.each([
  ['bins that no engine transforms', () => decodeBlock(patched(block, 20, 0xff, 0))],
  ['a clip level of zero', () => decodeBlock(patched(block, 24, 0, 0, 0, 0, 0, 0, 0, 0))],
  ['no segments', () => decodeBlock(patched(block, 32, 0))],
  ['more segments than a block holds', () => decodeBlock(patched(block, 32, 0xff, 0xff, 0xff, 0xff))],
  ['a header of another length', () => decodeBlock(patched(block, 4, 0x40))],
  ['an empty segment', () => decodeBlock(patched(block, 40, 0))],
  ['segments with fewer slices than the header says', () => decodeBlock(patched(block, 40, 1))],
  ['segments with more slices than the header says', () => decodeBlock(patched(block, 40, 9))],
  ['a count of zero', () => decodeMoments(patched(answer, 16, 0))],
  ['more slices than a block holds', () => decodeMoments(patched(answer, 16, 0xff, 0xff))],
  ['a scale beyond float32', () => decodeMoments(patched(answer, 20, 161, 0, 0, 0))],
  ['a negative time', () => decodeMoments(patched(answer, 31, 0xbf))],
  ['moments whose padding is not zero', () => decodeMoments(patched(answer, 127, 1))],
  ['a fourth trace', () => decodeSpectrum(patched(spectrum, 40, 3))],
  ['a run without a name', () => decodeSpectrum(patched(spectrum, 41, 0))],
  ['a run with a slash', () => decodeSpectrum(patched(spectrum, 144, 0x2f))],
  ['a spectrum whose padding is not zero', () => decodeSpectrum(patched(spectrum, 47, 1))],
  ['padding behind the time-domain sums that is not zero', () => decodeSpectrum(patched(spectrum, 143, 1))],
  ['padding behind the run that is not zero', () => decodeSpectrum(patched(spectrum, 159, 1))],
])('%s is out of range', (_, act) => {
  expect(codeOf(act)).toBe('out-of-range');
});

test('what does not fit its field is not encoded', () => {
  const one = { block: 0, epoch: 0, file: 0, bins: BINS, clipLevel: 1, segments: [{ slices: 1 }] };
  expect(() => encodeBlockHeader({ ...one, block: 2 ** 32 })).toThrow(RangeError);
  expect(() => encodeBlockHeader({ ...one, epoch: -1 })).toThrow(RangeError);
  expect(() => encodeBlockHeader({ ...one, file: 0.5 })).toThrow(RangeError);
  const short = { ...moments.moments, m2: new Float32Array(1) };
  expect(() => encodeMoments({ ...moments, moments: short })).toThrow(RangeError);
});

test('garbage throws nothing but a FrameError', () => {
  const seeds = [block, answer, spectrum].map((frame) => new Uint8Array(frame));
  const mutated = fc
    .tuple(
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      fc.nat(300),
    )
    .map(([seed, changes, cut]) => {
      const copy = seed.slice(0, cut < 200 ? undefined : cut);
      for (const [at, byte] of changes) if (at < copy.length) copy[at] = byte;
      return copy;
    });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 400 })), (bytes) => {
      const data = detach(bytes);
      for (const decode of [frameType, decodeBlock, decodeMoments, decodeSpectrum])
        expect(CODES).toContain(codeOf(() => decode(data)));
    }),
    { numRuns: 3000 },
  );
});

test('an answer for 3072 bins is 24 KB', () => {
  expect(momentsFrameBytes(3072)).toBe(24_704);
});
