/**
 * One file on its way from slices to a result: which slices have come, which are packed, which are counted.
 *
 *   message ─▶ placed (first slice known) ─▶ pending ─▶ block ─▶ counted ─▶ complete
 *        └─▶ held, while a sender without headers has not yet shown how long its messages are
 */
import type { BlockSegment } from '../dispatch/lease.ts';
import type { Geometry } from '../protocol/geometry.ts';
import { addBlock, type BlockMoments, emptyMoments, type SpectrumMoments } from '../protocol/moments.ts';
import { surveyMessage } from '../survey.ts';
import { checksumsOf, ContentSum, messageDigest } from './content.ts';
import type { SliceMessage } from './decode.ts';
import type { FileStart } from './positions.ts';
import { Rejection } from './rejection.ts';
import { SliceSet } from './slice-set.ts';

/** A message whose place in the file is known. */
interface Placed {
  readonly first: number;
  readonly message: SliceMessage;
}

interface MessageFacts {
  readonly slices: number;
  readonly crc32: number;
  readonly digest: number;
}

/** Slices that wait to be packed into a block. */
export interface PendingSlices {
  segments: BlockSegment[];
  slices: number;
  energy: number;
  /** Clock time at which the first of them came, in ms. */
  sinceMs: number;
}

const noPending = (): PendingSlices => ({ segments: [], slices: 0, energy: 0, sinceMs: 0 });

export type FileStatus = 'open' | 'incomplete' | 'rejected';

export class OpenFile {
  /** While `again`: the run that has published this number; afterwards the one that the file belongs to. */
  run: string;
  number: number;
  /** What its number lacks to the order of sending, where numbers began anew. */
  shift = 0;
  /** Its number is published, and it is not yet known whether this is the same file come again. */
  again = false;
  readonly #geometry: Geometry;
  /** Where it began, per partition that has carried it. */
  readonly starts = new Map<number, FileStart>();
  readonly received = new SliceSet();
  readonly moments: SpectrumMoments;
  /** Largest |x| of all slices so far. */
  peak = 0;
  status: FileStatus = 'open';
  /** Slices that the file has; null until a header, a short message or the configuration tells. */
  slices: number | null = null;
  startUtcMs = Number.NaN;
  newestUtcMs = Number.NaN;
  /** Clock time of the last new slice, in ms. */
  lastSliceMs = 0;
  /** Kinds of engine that have counted its blocks. */
  readonly engines = new Set<string>();
  /** Wall time without a new slice while every partition had passed the file. */
  quietMs = 0;
  pending: PendingSlices = noPending();
  /** Blocks that were packed and are not yet counted. */
  blocksOut = 0;
  /** No message has said what file it belongs to. */
  isHeaderless = true;
  /** Slices per message of a sender without headers; null until certain. */
  #perMessage: number | null = null;
  readonly #held: SliceMessage[] = [];
  readonly #checksums = new Map<number, MessageFacts>();
  readonly #content: ContentSum;

  constructor(run: string, number: number, geometry: Geometry) {
    this.run = run;
    this.number = number;
    this.#geometry = geometry;
    this.moments = emptyMoments(geometry.bins);
    this.#content = new ContentSum(geometry.bins);
  }

  get complete(): boolean {
    return this.slices !== null && this.moments.count === this.slices;
  }

  get allReceived(): boolean {
    return this.slices !== null && this.received.count === this.slices;
  }

  /** Messages that have brought new slices. */
  get messages(): number {
    return this.#checksums.size;
  }

  /** Of every message that has brought new slices, what `messageDigest` makes of it. */
  messageDigests(): number[] {
    return [...this.#checksums.values()].map(({ digest }) => digest);
  }

  /** What all of it is, once all is received. */
  content(): number {
    return this.#content.fold(this.received.count);
  }

  /** Bytes of messages that wait for their place. */
  get waitingBytes(): number {
    return this.#held.reduce((sum, { value }) => sum + value.length, 0);
  }

  missing(): string {
    return this.slices === null ? 'length not known' : this.received.missingRanges(this.slices);
  }

  /**
   * Takes a message in; what has found its place is added to `pending`.
   * @param defaultSlices length of a file whose sender does not say it
   * @throws {Rejection}
   */
  add(message: SliceMessage, defaultSlices: number, nowMs: number): void {
    const { stated } = message;
    if (stated) {
      this.isHeaderless = false;
      this.#setLength(stated.slicesInFile);
      this.startUtcMs = stated.startUtcMs;
      this.#take({ first: stated.first, message }, nowMs);
    } else if (this.#perMessage !== null) {
      this.#take(this.#placeByIndex(message, this.#perMessage, defaultSlices), nowMs);
    } else this.#hold(message, defaultSlices, nowMs);
  }

  takePending(): PendingSlices {
    const taken = this.pending;
    this.pending = noPending();
    return taken;
  }

  count(moments: BlockMoments): void {
    addBlock(this.moments, moments);
    this.blocksOut--;
  }

  /** Waits for a second message: every message but the last has the same length. */
  #hold(message: SliceMessage, defaultSlices: number, nowMs: number): void {
    const twin = this.#held.find((held) => held.index === message.index);
    if (twin) {
      const same = twin.slices === message.slices && twin.checksums.crc32 === message.checksums.crc32;
      throw new Rejection(
        same ? 'duplicate' : 'content',
        `message ${message.index} came twice${same ? '' : ' with other content'}`,
        message.slices,
      );
    }
    this.#held.push(message);
    const isWholeFile = message.index === 0 && message.slices === defaultSlices;
    if (this.#held.length < 2 && !isWholeFile) return;
    const perMessage = Math.max(...this.#held.map((held) => held.slices));
    this.#perMessage = perMessage;
    const [first, ...rest] = this.#held.splice(0);
    try {
      if (first) this.#take(this.#placeByIndex(first, perMessage, defaultSlices), nowMs);
    } finally {
      for (const each of rest) this.#take(this.#placeByIndex(each, perMessage, defaultSlices), nowMs);
    }
  }

  #placeByIndex(message: SliceMessage, perMessage: number, defaultSlices: number): Placed {
    if (message.slices > perMessage) {
      throw new Rejection(
        'slice-count',
        `expected ${perMessage} slices in every message of the file but the last, found ${message.slices}`,
        message.slices,
      );
    }
    const first = message.index * perMessage;
    const end = first + message.slices;
    if (message.slices < perMessage) this.#setLength(end);
    const limit = this.slices ?? defaultSlices;
    if (end > limit) {
      throw new Rejection(
        'index-range',
        `slices ${first}–${end - 1} of a file that has ${limit}`,
        message.slices,
      );
    }
    if (this.slices === null && end === defaultSlices) this.slices = defaultSlices;
    return { first, message };
  }

  #setLength(slices: number): void {
    if (this.slices === slices) return;
    if (this.slices !== null) {
      throw new Rejection('index-range', `the file had ${this.slices} slices, and now has ${slices}`);
    }
    this.slices = slices;
  }

  #take({ first, message }: Placed, nowMs: number): void {
    const missing = this.received.missing(first, message.slices);
    if (missing.length === 0) this.#refuseRepeated(first, message);
    const { slices, checksums } = message;
    this.#checksums.set(first, { slices, crc32: checksums.crc32, digest: messageDigest(message) });
    this.received.add(first, message.slices);
    this.quietMs = 0;
    this.lastSliceMs = nowMs;
    const newest = Number.isNaN(this.startUtcMs)
      ? message.timestampMs
      : this.startUtcMs + this.#durationMs(first + message.slices);
    this.newestUtcMs = Number.isNaN(this.newestUtcMs) ? newest : Math.max(this.newestUtcMs, newest);
    this.#queue(first, message, missing, nowMs);
  }

  #durationMs(slices: number): number {
    return (1e3 * slices * this.#geometry.bins) / this.#geometry.sampleRateHz;
  }

  #refuseRepeated(first: number, message: SliceMessage): never {
    const known = this.#checksums.get(first);
    const same =
      known === undefined || known.slices !== message.slices || known.crc32 === message.checksums.crc32;
    if (same) throw new Rejection('duplicate', `slices from ${first} came twice`, message.slices);
    throw new Rejection('content', `slices from ${first} came twice with other content`, message.slices);
  }

  /** Adds the slices that are new; of a message that overlaps others only those, copied out. */
  #queue(
    first: number,
    message: SliceMessage,
    missing: readonly (readonly [number, number])[],
    nowMs: number,
  ): void {
    const { pending } = this;
    if (pending.slices === 0) pending.sinceMs = nowMs;
    this.peak = Math.max(this.peak, message.peak);
    const [only] = missing;
    if (only && only[1] === message.slices) {
      this.#content.add(first + message.slices, message.checksums);
      pending.segments.push({ value: message.value, slices: message.slices });
      pending.slices += message.slices;
      pending.energy += message.energy;
      return;
    }
    for (const [from, slices] of missing) {
      const value = cutSlices(message, from - first, slices, this.#geometry.bins);
      this.#content.add(from + slices, checksumsOf(value));
      pending.segments.push({ value, slices });
      pending.slices += slices;
      pending.energy += surveyMessage(value).energy;
    }
  }
}

/** `slices` slices of I and Q from slice `from` of a message, as a message of their own. */
function cutSlices(message: SliceMessage, from: number, slices: number, bins: number): Buffer {
  const channel = bins * 4;
  const i = message.value.subarray(from * channel, (from + slices) * channel);
  const q = message.value.subarray(
    (message.slices + from) * channel,
    (message.slices + from + slices) * channel,
  );
  return Buffer.concat([i, q]);
}
