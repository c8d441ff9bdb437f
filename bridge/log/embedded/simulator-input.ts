/**
 * The simulated DAQ as the input log: one partition that has every file there will ever be, each message at the time
 * at which a DAQ would have recorded its last sample.
 *
 * The clock starts with the first record that is asked for: that one is there at once. A pause does not stop the
 * clock: what has piled up is made as fast as it goes afterwards, as it would lie in a log.
 */

import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import {
  BYTES_PER_IQ_SAMPLE,
  NOMINAL_SAMPLES_PER_FILE,
  slicesPerMessageLimit,
} from '../../protocol/geometry.ts';
import { buildRecord, MAX_FILE_NUMBER } from '../../records.ts';
import { PairGenerator } from '../../simulator/generator.ts';
import type { SignalParameters } from '../../simulator/signal.ts';
import type { InputRecord, StartFrom } from '../port.ts';
import {
  EmbeddedInput,
  fileOfOffset,
  messageOfOffset,
  offsetOf,
  type RecordSource,
} from './embedded-input.ts';

export interface SimulatorInputOptions {
  readonly signal: SignalParameters;
  readonly run: string;
  readonly from: StartFrom;
  /** Number of the first file; 0 unless told otherwise. */
  readonly startFile?: number;
  readonly slicesPerMessage?: number;
  readonly samplesPerFile?: number;
  /** Times real time; 1 unless told otherwise, Infinity: as fast as it goes. */
  readonly speed?: number;
}

export class SimulatorInput extends EmbeddedInput {
  constructor(options: SimulatorInputOptions) {
    super('simulator', new SimulatorSource(options), options.from);
  }
}

/** Where in the run a message lies. */
interface Place {
  readonly file: number;
  readonly message: number;
}

class SimulatorSource implements RecordSource {
  readonly #signal: SignalParameters;
  readonly #run: string;
  readonly #startFile: number;
  readonly #samplesPerFile: number;
  readonly #slices: number;
  readonly #slicesPerMessage: number;
  readonly #speed: number;
  /** Unix time at which sample 0 of file 0 was recorded; null before the first record is asked for. */
  #epochMs: number | null = null;

  constructor(options: SimulatorInputOptions) {
    const { bins } = options.signal.geometry;
    this.#signal = options.signal;
    this.#run = options.run;
    this.#startFile = options.startFile ?? 0;
    this.#samplesPerFile = options.samplesPerFile ?? NOMINAL_SAMPLES_PER_FILE;
    this.#slices = Math.floor(this.#samplesPerFile / bins);
    this.#slicesPerMessage = options.slicesPerMessage ?? slicesPerMessageLimit(bins);
    this.#speed = options.speed ?? 1;
  }

  /** Before the clock runs, any offset can be begun at, so the end is that of all numbers. */
  async range(): Promise<{ readonly lowOffset: number; readonly endOffset: number }> {
    const lowOffset = offsetOf(this.#startFile, 0);
    return {
      lowOffset,
      endOffset: this.#epochMs === null ? offsetOf(MAX_FILE_NUMBER + 1, 0) : this.lastEnd(),
    };
  }

  /** What was before the clock started does not exist, and what comes later is made at the end. */
  async resolve(from: StartFrom): Promise<number> {
    const started = this.#epochMs !== null;
    const isPast = from === 'earliest' || (from !== 'latest' && from.timeMs <= (this.#epochMs ?? Infinity));
    return started && !isPast ? this.lastEnd() : offsetOf(this.#startFile, 0);
  }

  /** Behind the last message that the clock has passed. */
  lastEnd(): number {
    if (this.#epochMs === null) return offsetOf(this.#startFile, 0);
    const samples = ((Date.now() - this.#epochMs) / this.#msPerSample()) * (1 + Number.EPSILON);
    const file = Math.min(MAX_FILE_NUMBER + 1, Math.floor(samples / this.#samplesPerFile));
    const { bins } = this.#signal.geometry;
    const slices = Math.floor((samples - file * this.#samplesPerFile) / bins);
    const message = slices >= this.#slices ? this.#messages() : Math.floor(slices / this.#slicesPerMessage);
    return offsetOf(file, Math.max(0, message));
  }

  async *read(offset: number, signal: AbortSignal): AsyncIterable<InputRecord> {
    const begin = { file: fileOfOffset(offset), message: messageOfOffset(offset) };
    // Everything is there at once, as it was before a pause, when the clock has passed it already.
    this.#epochMs ??= Date.now() - this.#dueSamples(begin) * this.#msPerSample();
    for (let { file } = begin; file <= MAX_FILE_NUMBER && !signal.aborted; file++) {
      yield* this.#file(file, file === begin.file ? begin.message : 0, signal);
    }
    if (!signal.aborted)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }

  async *#file(file: number, fromMessage: number, signal: AbortSignal): AsyncIterable<InputRecord> {
    const { geometry } = this.#signal;
    const generator = new PairGenerator(this.#signal, file, this.#samplesPerFile);
    for (let message = 0; message < this.#messages(); message++) {
      const first = message * this.#slicesPerMessage;
      const slices = Math.min(this.#slicesPerMessage, this.#slices - first);
      const value = makeValue(generator, slices * geometry.bins);
      // Making a message takes about 5 ms: heartbeats and sockets get their turn in between.
      await setImmediate();
      if (signal.aborted) return;
      if (message < fromMessage) continue;
      const dueMs = await this.#due({ file, message }, signal);
      const start = {
        utcMs: Math.round(dueMs - this.#sinceStartMs(first + slices)),
        source: 'given',
      } as const;
      const id = { run: this.#run, file, slices: this.#slices, geometry, start };
      if (signal.aborted) return;
      yield {
        partition: 0,
        offset: offsetOf(file, message),
        ...buildRecord(id, message, first, value),
        timestampMs: Math.round(dueMs),
      };
    }
  }

  /** Waits for the clock; answers when the message was due, Unix milliseconds. */
  async #due(place: Place, signal: AbortSignal): Promise<number> {
    const dueMs = (this.#epochMs as number) + this.#dueSamples(place) * this.#msPerSample();
    const waitMs = dueMs - Date.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => {});
    return dueMs;
  }

  /** Samples of the run up to the end of a message. */
  #dueSamples({ file, message }: Place): number {
    const slices = Math.min(this.#slices, (message + 1) * this.#slicesPerMessage);
    return file * this.#samplesPerFile + slices * this.#signal.geometry.bins;
  }

  #sinceStartMs(slices: number): number {
    return slices * this.#signal.geometry.bins * this.#msPerSample();
  }

  #msPerSample(): number {
    return 1000 / this.#signal.geometry.sampleRateHz / this.#speed;
  }

  #messages(): number {
    return Math.ceil(this.#slices / this.#slicesPerMessage);
  }
}

/** The next samples as a message's value: all I, then all Q. */
function makeValue(generator: PairGenerator, samples: number): Buffer {
  const value = Buffer.allocUnsafeSlow(samples * BYTES_PER_IQ_SAMPLE);
  const i = new Float32Array(value.buffer, 0, samples);
  const q = new Float32Array(value.buffer, samples * 4, samples);
  generator.writeTo(i, q);
  return value;
}
