/**
 * Looks once at every sample of a message: is it finite, what is its energy, what its peak.
 *
 * The bridge keeps nothing of a sample but these: NaN and Inf refuse the message, and the energy is what
 * Parseval's theorem demands of a processor's answer. The loop is WebAssembly SIMD, printed at load time:
 *
 *     value ──copy, 128 KB at a time, so that it stays in cache──▶ memory ──▶ Σ x² in float64, max |x|
 *
 * In float64 no square of a float32 overflows (3.4e38² = 1.2e77) or vanishes (1.4e-45² = 2e-90), so the energy
 * is finite exactly if every sample is.
 */
import { FunctionWriter, get, i32, load, ModuleWriter, op, shuffle, store } from './protocol/wasm-emitter.ts';

/** What one message holds; volts. */
export interface Survey {
  /** No NaN, no Inf. The other two mean something only if this is so. */
  readonly finite: boolean;
  /** Σ x² over all samples of both channels, V². */
  readonly energy: number;
  /** max |x|, V. */
  readonly peak: number;
}

const BYTES_PER_SAMPLE = 4;
const CHUNK_BYTES = 131_072;
/** One turn of the loop: enough independent sums that none waits for the one before. */
const VECTORS_PER_TURN = 4;
const TURN_BYTES = 16 * VECTORS_PER_TURN;
/** Results in front of the samples: two float64 of energy, four float32 of peak. */
const ENERGY_AT = 0;
const PEAK_AT = 16;
const SAMPLES_AT = 64;

/** `survey(end)`: adds the samples between SAMPLES_AT and byte `end`, whole turns, to energy and peak. */
function printSurvey(): Uint8Array<ArrayBuffer> {
  const f = new FunctionWriter(['i32']);
  const at = f.local('i32');
  const energies = Array.from({ length: 2 * VECTORS_PER_TURN }, () => f.local('v128'));
  const peaks = Array.from({ length: VECTORS_PER_TURN }, () => f.local('v128'));
  f.loop(at, i32(SAMPLES_AT), get(f.parameter(0)), TURN_BYTES, () => {
    peaks.forEach((peak, n) => {
      const x = f.let('v128', load('v128.load', get(at), 16 * n));
      f.set(peak, op('f32x4.pmax', get(peak), op('f32x4.abs', get(x))));
      [get(x), shuffle(get(x), get(x), [2, 3, 2, 3])].forEach((half, side) => {
        const wide = f.let('v128', op('f64x2.promote_low_f32x4', half));
        const energy = energies[2 * n + side] as (typeof energies)[number];
        f.set(energy, op('f64x2.add', get(energy), op('f64x2.mul', get(wide), get(wide))));
      });
    });
  });
  const sum = energies.map(get).reduce((a, b) => op('f64x2.add', a, b), load('v128.load', i32(ENERGY_AT)));
  const peak = peaks.map(get).reduce((a, b) => op('f32x4.pmax', a, b), load('v128.load', i32(PEAK_AT)));
  f.emit(store('v128.store', i32(ENERGY_AT), 0, sum));
  f.emit(store('v128.store', i32(PEAK_AT), 0, peak));
  const module = new ModuleWriter();
  module.add(f, 'survey');
  return module.bytes(SAMPLES_AT + CHUNK_BYTES);
}

const { exports } = new WebAssembly.Instance(new WebAssembly.Module(printSurvey()));
const survey = exports['survey'] as (end: number) => void;
const { buffer } = exports['memory'] as WebAssembly.Memory;
const memoryBytes = new Uint8Array(buffer);
const energyLanes = new Float64Array(buffer, ENERGY_AT, 2);
const peakLanes = new Float32Array(buffer, PEAK_AT, 4);

/**
 * Surveys all float32 samples of a message value, little-endian, at any byte offset; bytes after the last whole
 * sample are not looked at.
 */
export function surveyMessage(value: Uint8Array): Survey {
  const bytes = value.length - (value.length % BYTES_PER_SAMPLE);
  energyLanes.fill(0);
  peakLanes.fill(0);
  for (let from = 0; from < bytes; from += CHUNK_BYTES) {
    const size = Math.min(CHUNK_BYTES, bytes - from);
    const end = SAMPLES_AT + Math.ceil(size / TURN_BYTES) * TURN_BYTES;
    memoryBytes.set(value.subarray(from, from + size), SAMPLES_AT);
    memoryBytes.fill(0, SAMPLES_AT + size, end);
    survey(end);
  }
  const energy = (energyLanes[0] as number) + (energyLanes[1] as number);
  return { finite: Number.isFinite(energy), energy, peak: Math.max(...peakLanes) };
}
