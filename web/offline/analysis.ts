/**
 * Recordings through an engine: moments of each, and of all of them together.
 *
 *   recording k   ─▶ blocks ─┐                      ┌─▶ moments of k ──┐
 *   recording k+1 ─▶ blocks ─┴▶ gate ─▶ engine's    ├─▶ moments of k+1 ─┴▶ in order ─▶ run
 *                                       workers ────┘
 *
 * Two recordings are in hand, so that the engine stays busy from one to the next. Blocks of a recording, and
 * recordings of a run, are merged in their order: the numbers do not depend on how many cores there are. What is in
 * memory is the gate's blocks and a few spectra, whatever the number of recordings.
 */
import { clipLevelOf, peakOf } from '../../bridge/protocol/clipping.ts';
import { type Geometry, sliceBytes } from '../../bridge/protocol/geometry.ts';
import { addBlock, addMoments, emptyMoments, type SpectrumMoments } from '../../bridge/protocol/moments.ts';
import { FileProblem } from '../../bridge/protocol/pairs.ts';
import { isAbort } from '../../bridge/protocol/source.ts';
import { EngineError, type SpectrumEngine } from '../engine/engine.ts';
import { verify } from './checksum.ts';
import { Gate } from './gate.ts';
import { ClipCount } from './clip-count.ts';
import { BlockReader, type Recording, samplesOf, slicesOf, startOf } from './recording.ts';

/** Recordings in hand at a time. */
const LANES = 2;
/** A worker that ends takes a block with it; the recording is then read once more, at most so many times. */
const MOST_ATTEMPTS = 3;

export interface Measured {
  readonly recording: Recording;
  readonly moments: SpectrumMoments;
  /** Unix milliseconds: first sample, and end of the last slice. */
  readonly startMs: number;
  readonly endMs: number;
  /** Samples that filled no slice. */
  readonly remainder: number;
}

export interface AnalysisEvents {
  /** In the order of the recordings. */
  readonly measured: (measured: Measured) => void | Promise<void>;
  readonly problem: (problem: FileProblem, recording: Recording) => void;
  /** So many bytes more have been read, counted as float32. */
  readonly read?: (bytes: number, recording: Recording) => void;
}

export interface AnalysisOptions {
  readonly engine: SpectrumEngine;
  readonly geometry: Geometry;
  /** Aborted: no recording is begun any more; those in hand are finished. */
  readonly stop: AbortSignal;
  /** Aborted: those in hand are dropped as well. */
  readonly giveUp: AbortSignal;
  /** Files whose metadata have a SHA-512 are read once more, and first, to see whether they are those. */
  readonly verify: boolean;
  /** Largest |x| of recordings that were measured before. */
  readonly peak?: number;
}

/** What came of one recording. */
type Outcome =
  | { readonly kind: 'measured'; readonly measured: Measured }
  | { readonly kind: 'problem'; readonly problem: FileProblem; readonly recording: Recording }
  | { readonly kind: 'dropped' };

/**
 * Measures one recording after the other, and tells of each in its order.
 * @returns how many were left out because of `stop` or `giveUp`
 * @throws {EngineError} when the engine can do no more; whatever `events.measured` throws
 */
export async function analyze(
  recordings: readonly Recording[],
  options: AnalysisOptions,
  events: AnalysisEvents,
): Promise<number> {
  const gate = new Gate(options.engine.depth + LANES);
  /** Largest |x| of the recordings that are done: the same for each recording, however fast the others are. */
  let peak = options.peak ?? 0;
  const inHand: Promise<Outcome>[] = [];
  let left = 0;
  const finishOldest = async (): Promise<void> => {
    const outcome = await (inHand.shift() as Promise<Outcome>);
    if (outcome.kind === 'measured') {
      const { time } = outcome.measured.moments;
      // The one before it was still in hand when this one began, and has shown where the range ends.
      peak = Math.max(peak, peakOf(time));
      if (peakOf(time) < clipLevelOf(peak)) time.clipped = 0;
      await events.measured(outcome.measured);
    } else if (outcome.kind === 'problem') events.problem(outcome.problem, outcome.recording);
    else left++;
  };
  try {
    for (const [k, recording] of recordings.entries()) {
      if (options.stop.aborted) {
        left += recordings.length - k;
        break;
      }
      const outcome = measureOrSay(recording, peak, options, gate, events);
      outcome.catch(() => {});
      inHand.push(outcome);
      if (inHand.length === LANES) await finishOldest();
    }
    while (inHand.length > 0) await finishOldest();
  } finally {
    await Promise.allSettled(inHand);
  }
  return left;
}

async function measureOrSay(
  recording: Recording,
  peak: number,
  options: AnalysisOptions,
  gate: Gate,
  events: AnalysisEvents,
): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      if (options.verify && attempt === 1)
        for (const checksum of recording.checksums) await verify(checksum, options.giveUp);
      const moments = await measure(recording, peak, options, gate, events);
      if (moments === null) return { kind: 'dropped' };
      return { kind: 'measured', measured: describe(recording, moments, options.geometry) };
    } catch (error) {
      if (error instanceof FileProblem) return { kind: 'problem', problem: error, recording };
      if (isAbort(error)) return { kind: 'dropped' };
      const isLost = error instanceof EngineError && error.code === 'device-lost';
      if (!isLost || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}

function describe(
  recording: Recording,
  moments: SpectrumMoments,
  { bins, sampleRateHz }: Geometry,
): Measured {
  const startMs = startOf(recording, sampleRateHz);
  const lengthMs = (1000 * slicesOf(recording, bins) * bins) / sampleRateHz;
  const remainder = samplesOf(recording) - slicesOf(recording, bins) * bins;
  return { recording, moments, startMs, endMs: Math.round(startMs + lengthMs), remainder };
}

/** Null where it was given up. @throws {FileProblem} @throws {EngineError} */
async function measure(
  recording: Recording,
  peak: number,
  { engine, geometry, giveUp }: AnalysisOptions,
  gate: Gate,
  events: AnalysisEvents,
): Promise<SpectrumMoments | null> {
  const { bins } = geometry;
  const moments = emptyMoments(bins);
  const clips = new ClipCount(peak);
  /** The first error of the engine; nothing is read after it. */
  const failures: unknown[] = [];
  /** Ends when every block so far is merged, or one has failed. Never rejects. */
  let merged = Promise.resolve();
  const buffer = (bytes: number): ArrayBuffer => engine.spareBuffer?.(bytes) ?? new ArrayBuffer(bytes);
  const reader = await BlockReader.open(recording, bins);
  try {
    for (let first = 0; failures.length === 0 && !giveUp.aborted; ) {
      await gate.enter();
      const { clipLevel } = clips;
      const next = await reader.next(buffer, clipLevel).catch((error: unknown) => {
        gate.leave();
        throw error;
      });
      if (next === null) {
        gate.leave();
        break;
      }
      const { piece } = next;
      const { slices } = piece;
      const from = first;
      const answer = engine.process(next.block).finally(() => gate.leave());
      answer.catch(() => {});
      merged = merged.then(async () => {
        if (failures.length > 0) return;
        try {
          const counted = await answer;
          addBlock(moments, counted);
          clips.add(piece, clipLevel, counted.time);
        } catch (error) {
          failures.push(explained(error, recording, from));
        }
      });
      first += slices;
      events.read?.(slices * sliceBytes(bins), recording);
    }
  } finally {
    await merged;
    await reader.close();
  }
  if (failures.length > 0) throw failures[0];
  if (giveUp.aborted) return null;
  moments.time.clipped = await clips.total(recording, bins);
  return moments;
}

const explained = (error: unknown, { path }: Recording, firstSlice: number): unknown =>
  error instanceof EngineError && error.code === 'non-finite'
    ? new FileProblem('non-finite', path, `in the block from slice ${firstSlice} on, ${error.message}`)
    : error;

/** Measured recordings, added up. */
export class RunSum {
  readonly moments: SpectrumMoments;
  files = 0;
  /** Unix milliseconds; NaN as long as nothing is known. */
  firstMs = Number.NaN;
  lastMs = Number.NaN;

  constructor(bins: number) {
    this.moments = emptyMoments(bins);
  }

  /** As it was when it was kept. */
  static of({ moments, files, firstMs, lastMs }: Readonly<Omit<RunSum, 'add'>>): RunSum {
    const sum = new RunSum(moments.mean.length);
    addMoments(sum.moments, moments);
    sum.files = files;
    sum.firstMs = firstMs;
    sum.lastMs = lastMs;
    return sum;
  }

  add(moments: SpectrumMoments, files: number, startMs: number, endMs: number): void {
    addMoments(this.moments, moments);
    this.files += files;
    this.firstMs = Number.isNaN(this.firstMs) ? startMs : least(this.firstMs, startMs);
    this.lastMs = Number.isNaN(this.lastMs) ? endMs : -least(-this.lastMs, -endMs);
  }
}

/** The smaller one of those that are numbers; the first is. */
const least = (a: number, b: number): number => (b < a ? b : a);
