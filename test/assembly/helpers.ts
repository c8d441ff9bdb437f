/** Records and moments for assembly tests: small slices with known content, answered by exact arithmetic. */
import { Assembler, type AssemblyEvents } from '../../bridge/assembly/assembler.ts';
import type { OpenFile } from '../../bridge/assembly/open-file.ts';
import type { Progress } from '../../bridge/assembly/progress.ts';
import type { Block } from '../../bridge/dispatch/lease.ts';
import type { InputRecord } from '../../bridge/log/port.ts';
import type { Geometry } from '../../bridge/protocol/geometry.ts';
import { type BlockMoments, emptyTimeSums } from '../../bridge/protocol/moments.ts';
import { buildPlainRecord, buildRecord } from '../../bridge/records.ts';

export const BINS = 256;
export const GEOMETRY: Geometry = { bins: BINS, sampleRateHz: 2e6, loHz: 10e9 };

/** Slices of I and Q whose every sample says which slice of which file it is. */
export function sliceValue(file: number, first: number, slices: number): Buffer {
  const value = new Float32Array(2 * slices * BINS);
  for (let s = 0; s < slices; s++) {
    value.fill(file + (first + s) / 1024, s * BINS, (s + 1) * BINS);
    value.fill(-(first + s + 1), (slices + s) * BINS, (slices + s + 1) * BINS);
  }
  return Buffer.from(value.buffer);
}

export interface Sent {
  readonly partition: number;
  readonly offset: number;
}

/** A record as this project's producer writes it. */
export function fullRecord(
  at: Sent,
  file: number,
  message: number,
  range: { first: number; slices: number; of: number },
  run = 'run1',
): InputRecord {
  const id = {
    run,
    file,
    slices: range.of,
    geometry: GEOMETRY,
    start: { utcMs: 1.7e12 + 1000 * file, source: 'given' as const },
  };
  const value = sliceValue(file, range.first, range.slices);
  return { ...at, ...buildRecord(id, message, range.first, value), timestampMs: 1 };
}

/** A record as the existing producer writes it: no headers. */
export function plainRecord(at: Sent, file: number, message: number, n: number, slices = n): InputRecord {
  const value = sliceValue(file, message * n, slices);
  return { ...at, ...buildPlainRecord(file, message, value), timestampMs: 1 };
}

/** Moments that say how many slices were counted; power itself is the engines' tests' business. */
export function momentsOf(block: Block): BlockMoments {
  return {
    count: block.slices,
    scaleExponent: 0,
    mean: new Float32Array(BINS).fill(1),
    m2: new Float32Array(BINS),
    time: { ...emptyTimeSums(), samples: block.slices * BINS },
  };
}

export interface Harness {
  readonly assembler: Assembler;
  readonly blocks: Block[];
  readonly rejected: { reason: string; slices: number }[];
  readonly incomplete: string[];
  readonly complete: string[];
  readonly began: string[];
  readonly replayed: string[];
  /** Gives every block that is out to a processor that is always right. */
  countAll(): OpenFile[];
  accept(...records: InputRecord[]): void;
}

export function harness(
  options: { slicesPerFile?: number; run?: string; progress?: Progress | null } = {},
): Harness {
  const blocks: Block[] = [];
  const rejected: Harness['rejected'] = [];
  const incomplete: string[] = [];
  const complete: string[] = [];
  const completeFiles: OpenFile[] = [];
  const began: string[] = [];
  const replayed: string[] = [];
  const events: AssemblyEvents = {
    block: (block) => blocks.push(block),
    complete: (file) => {
      complete.push(`${file.run}/${file.number}`);
      completeFiles.push(file);
    },
    rejected: (reason, _message, _record, slices) => rejected.push({ reason, slices }),
    incomplete: (_file, entry) => incomplete.push(`${entry.run}/${entry.file}: ${entry.missing}`),
    replayed: ({ run, file }) => replayed.push(`${run}/${file}`),
    runBegan: (run) => began.push(run),
  };
  const assembler = new Assembler(
    {
      geometry: GEOMETRY,
      run: options.run ?? 'run1',
      slicesPerFile: options.slicesPerFile ?? 10,
      incompleteAfterMs: 1000,
    },
    events,
    options.progress ?? null,
  );
  return {
    assembler,
    blocks,
    rejected,
    incomplete,
    complete,
    began,
    replayed,
    countAll: () => {
      for (const block of blocks.splice(0)) assembler.count(block.id, momentsOf(block), 'wasm');
      return completeFiles.splice(0);
    },
    accept: (...records) => {
      for (const record of records) assembler.accept(record, record.offset + 1, 0);
    },
  };
}
