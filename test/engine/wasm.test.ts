import { expect, test } from 'vitest';
import { isSupportedLength } from '../../bridge/protocol/geometry.ts';
import {
  FunctionWriter,
  f32x4,
  get,
  i32,
  load,
  ModuleWriter,
  op,
  store,
} from '../../bridge/protocol/wasm-emitter.ts';
import { printKernel } from '../../web/engine/wasm/kernel.ts';
import { WasmCore } from '../../web/engine/wasm/wasm-core.ts';
import { addTone, gaussian, shortBlockProblems } from './accuracy.ts';
import { referenceMoments } from './reference.ts';
import { withoutRelaxedSimd } from './relaxed-simd.ts';
import { addBlock, emptyMoments } from '../../bridge/protocol/moments.ts';
import { chooseRadices, planKernel, stageTwiddles } from '../../web/engine/wasm/plan.ts';

const LENGTHS = Array.from({ length: 8193 }, (_, n) => n).filter(isSupportedLength);

test('an empty module is the eight bytes of the specification and its sections', () => {
  const f = new FunctionWriter(['i32']);
  f.emit(store('i32.store', i32(0), 0, get(f.parameter(0))));
  const module = new ModuleWriter();
  module.add(f, 'f');
  const hex = Buffer.from(module.bytes(65_536)).toString('hex');
  const sections = [
    '0061736d01000000', // magic, version
    '01050160017f00', // one type: (i32) → ()
    '03020100', // one function of that type
    '0503010001', // one memory of one page
    '070e02066d656d6f7279020001660000', // exports: memory, function f
    '0a0b010900410020003602000b', // body: i32.store(0, parameter 0)
  ];
  expect(hex).toBe(sections.join(''));
});

/** Runs `body` once on fresh memory and returns its first word. */
async function wordAfter(body: (f: FunctionWriter) => void): Promise<number> {
  const f = new FunctionWriter(['i32']);
  body(f);
  const module = new ModuleWriter();
  module.add(f, 'f');
  const { instance } = await WebAssembly.instantiate(module.bytes(65_536));
  (instance.exports['f'] as (x: number) => void)(10);
  return new Int32Array((instance.exports['memory'] as WebAssembly.Memory).buffer)[0] as number;
}

test.each([0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, 2 ** 31 - 1, -(2 ** 31)])(
  'the constant %d survives its LEB128',
  async (value) => {
    expect(await wordAfter((f) => f.emit(store('i32.store', i32(0), 0, i32(value))))).toBe(value);
  },
);

test('loops count, branches branch, large offsets reach', async () => {
  const sum = await wordAfter((f) => {
    const n = f.local('i32');
    f.loop(n, i32(0), get(f.parameter(0)), 2, () => {
      const total = op('i32.add', load('i32.load', i32(0), 60_000), get(n));
      f.emit(store('i32.store', i32(0), 60_000, total));
    });
    f.ifElse(
      op('i32.eq', get(n), i32(10)),
      () => f.emit(store('i32.store', i32(0), 0, load('i32.load', i32(60_000)))),
      () => f.emit(store('i32.store', i32(0), 0, i32(-1))),
    );
  });
  expect(sum).toBe(0 + 2 + 4 + 6 + 8);
});

test.each(LENGTHS)('plan of %d bins: factors, positions and memory fit together', (bins) => {
  const plan = planKernel(bins);
  const radices = plan.stages.map(({ radix }) => radix);
  expect(radices.reduce((a, b) => a * b)).toBe(bins);
  expect(radices).toEqual(chooseRadices(bins));
  expect(plan.stages.at(-1)?.stride).toBe(1);
  expect(new Set(plan.positionOfBin).size).toBe(bins);
  expect(Math.max(...plan.positionOfBin)).toBeLessThan(plan.positions);
  // Without padding the sums are 16-byte aligned and the tiles are whole.
  if (bins % 4 === 0) expect([plan.positions, plan.tile]).toEqual([bins, 4]);
  for (const fused of [false, true])
    expect(WebAssembly.validate(printKernel(plan, { windowed: true, fused }))).toBe(true);
  const addresses = Object.values(plan.layout);
  expect(new Set(addresses).size).toBe(addresses.length);
  expect(Math.max(...addresses)).toBe(plan.layout.bytes);
});

test('position of bin k is that of decimation in frequency: 384 = 2·3·64', () => {
  const { positionOfBin } = planKernel(384, [2, 3, 16, 4]);
  // Bin 5 = 1 + 2·(2 + 3·0): r0 = 1, r1 = 2, so position 1·192 + 2·64.
  expect(positionOfBin[192 + 5]).toBe(192 + 128);
  expect(positionOfBin[192]).toBe(0);
  // Bin 6 = 0 + 2·(0 + 3·(1 + 16·0)): r2 = 1 of stride 4.
  expect(positionOfBin[192 + 6]).toBe(4);
});

test('twiddles are those of float64, rounded once', () => {
  const table = stageTwiddles({ radix: 3, stride: 4, twiddles: 0 });
  expect(table.length).toBe(16);
  expect([table[0], table[1], table[2], table[3]]).toEqual([1, -0, 1, -0]);
  expect(table[4 * 3 + 2]).toBe(Math.fround(Math.cos((2 * Math.PI * 6) / 12)));
  expect(table[4 * 3 + 1]).toBe(Math.fround(-Math.sin((2 * Math.PI * 3) / 12)));
});

test('fused products are a·b + c and c − a·b, by the bytes of the specification', async () => {
  const hex = (code: readonly number[]): string => Buffer.from(code).toString('hex');
  expect(hex(op('f32x4.relaxed_madd'))).toBe('fd8502');
  expect(hex(op('f32x4.relaxed_nmadd'))).toBe('fd8602');
  expect(hex(op('f32x4.mul'))).toBe('fde601');
  const [a, b, c] = [f32x4(3), f32x4(5), f32x4(100)];
  const run = (code: readonly number[]) => wordAfter((f) => f.emit(store('v128.store', i32(0), 0, code)));
  const bits = (value: number): number => new Int32Array(Float32Array.of(value).buffer)[0] as number;
  expect(await run(op('f32x4.relaxed_madd', a, b, c))).toBe(bits(115));
  expect(await run(op('f32x4.relaxed_nmadd', a, b, c))).toBe(bits(85));
});

test.each([256, 384, 486, 729, 3072, 4096, 6144])(
  '%d bins with fused products, and without where the engine has none, are right, and not the same',
  async (bins) => {
    const samples = gaussian(2 * 6 * bins, bins, 0.2);
    addTone(samples, bins, 5.3, 0.5);
    const segments = [{ offset: 0, slices: 6 }];
    const block = { samples, segments, clipLevel: Infinity };
    const wanted = referenceMoments(samples, segments, { bins });
    const make = () => WasmCore.create({ bins, window: 'none' });
    const fused = (await make()).process(block);
    const plain = (await withoutRelaxedSimd(make)).process(block);
    for (const moments of [fused, plain]) {
      const total = emptyMoments(bins);
      addBlock(total, moments);
      expect(shortBlockProblems(total, wanted)).toEqual([]);
    }
    expect(fused.mean).not.toEqual(plain.mean);
  },
);
