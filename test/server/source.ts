/**
 * A small real bridge for the tests of server and session: blocks in a queue, leased by credit, merged in
 * float64. What the pipeline does besides (logs, watermarks, deadlines) is not here.
 */
import type { Block, Lease, ProcessorLink, ProcessorSession } from '../../bridge/dispatch/lease.ts';
import type { Geometry } from '../../bridge/protocol/geometry.ts';
import { PROTOCOL_VERSION } from '../../bridge/protocol/frames.ts';
import { addBlock, type BlockMoments, emptyMoments, emptyTimeSums } from '../../bridge/protocol/moments.ts';
import type { CommandOutcome, OperatorCommand } from '../../bridge/protocol/operator.ts';
import type { BridgeState, EngineSummary } from '../../bridge/protocol/state.ts';
import type { BridgeSource, ExportedSpectrum, SpectrumSnapshot } from '../../bridge/server/source.ts';

export const GEOMETRY: Geometry = { bins: 256, sampleRateHz: 2e6, loHz: 10.353e9 };

export function sampleState(geometry = GEOMETRY): BridgeState {
  return {
    software: 'haloscope test',
    protocol: PROTOCOL_VERSION,
    utc: '2026-11-23T01:02:03.456Z',
    startedUtc: '2026-11-23T01:00:00.000Z',
    geometry,
    input: { kind: 'simulator', reachable: true, trouble: null },
    output: { kind: 'embedded', reachable: true, trouble: null },
    group: null,
    run: { name: 'test', filesDone: 2, slicesDone: 5462, resetUtc: null, firstUtc: null, lastUtc: null },
    lag: { files: 1, seconds: 4.2 },
    retention: null,
    current: { file: 3, slicesDone: 160, slices: 2731 },
    latest: { file: 2, slices: 2731, publishedUtc: '2026-11-23T01:02:00.000Z' },
    newestDatumUtc: null,
    headerless: false,
    clients: [],
    rejected: { checksum: 1 },
    incomplete: [{ run: 'test', file: 1, missing: '0-39', atUtc: '2026-11-23T01:01:00.000Z' }],
    alarms: [
      {
        code: 'incomplete',
        message: 'file 1 misses 40 slices',
        count: 1,
        sinceUtc: '2026-11-23T01:01:00.000Z',
        lastUtc: '2026-11-23T01:01:00.000Z',
      },
    ],
    annotations: [
      {
        id: 'annotation-1',
        at: { kind: 'frequency', hz: 10.3534e9 },
        text: 'tuner moved',
        author: 'shift',
        madeUtc: '2026-11-23T01:02:00.000Z',
      },
    ],
    operations: [
      {
        id: 'annotation-1',
        utc: '2026-11-23T01:02:00.000Z',
        who: 'shift',
        what: 'annotated test: «tuner moved»',
      },
    ],
  };
}

/** Gaussian-looking samples from a seed: a sum of four uniform numbers of a linear congruential generator. */
function noise(samples: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  return Float32Array.from({ length: samples }, () => uniform() + uniform() + uniform() + uniform());
}

/** A block of `slices` slices in messages of at most `perMessage`. */
export function makeBlock(id: number, slices: number, perMessage = slices, bins = GEOMETRY.bins): Block {
  const segments = [];
  let energy = 0;
  for (let first = 0; first < slices; first += perMessage) {
    const own = Math.min(perMessage, slices - first);
    const samples = noise(own * bins * 2, 1000 * id + first + 1);
    energy += samples.reduce((sum, x) => sum + x * x, 0);
    segments.push({ value: Buffer.from(samples.buffer), slices: own });
  }
  return { id, file: 3, bins, slices, segments, energy, clipLevel: Infinity };
}

export interface Answer {
  readonly client: string;
  readonly block: number;
  readonly epoch: number;
  readonly moments: BlockMoments;
  readonly computeMs: number;
}

interface Joined {
  readonly link: ProcessorLink;
  credits: number;
  engine: EngineSummary;
  readonly leases: Map<number, Lease>;
}

export class TestSource implements BridgeSource {
  readonly geometry: Geometry;
  readonly answers: Answer[] = [];
  readonly failures: { readonly block: number; readonly code: string; readonly message: string }[] = [];
  readonly joined = new Map<string, Joined>();
  readonly total;
  reasons: string[] = [];
  readonly commands: { readonly command: OperatorCommand; readonly from: string }[] = [];
  readonly origins = new Set<string>();
  #queue: Block[] = [];
  #epoch = 0;
  #newest = new Map<string, SpectrumSnapshot>();
  #listeners = new Set<(snapshot: SpectrumSnapshot) => void>();

  constructor(geometry = GEOMETRY) {
    this.geometry = geometry;
    this.total = emptyMoments(geometry.bins);
  }

  peerOrigins(): ReadonlySet<string> {
    return this.origins;
  }

  state(): BridgeState {
    return sampleState(this.geometry);
  }

  enqueue(...blocks: Block[]): void {
    this.#queue.push(...blocks);
    this.#dispatch();
  }

  publish(snapshot: SpectrumSnapshot): void {
    this.#newest.set(snapshot.trace, snapshot);
    for (const listener of this.#listeners) listener(snapshot);
  }

  join(link: ProcessorLink): ProcessorSession {
    const joined: Joined = { link, credits: 0, engine: link.engine, leases: new Map() };
    this.joined.set(link.id, joined);
    const settle = (block: number, epoch: number): boolean =>
      joined.leases.get(block)?.epoch === epoch && joined.leases.delete(block);
    return {
      grant: (blocks) => {
        joined.credits += blocks;
        this.#dispatch();
      },
      answer: (block, epoch, moments, computeMs) => {
        if (!settle(block, epoch)) return;
        this.answers.push({ client: link.id, block, epoch, moments, computeMs });
        addBlock(this.total, moments);
      },
      failed: (block, epoch, code, message) => {
        if (settle(block, epoch)) this.failures.push({ block, code, message });
      },
      engineChanged: (engine) => {
        joined.engine = engine;
      },
      leave: () => {
        this.joined.delete(link.id);
        this.#queue.unshift(...[...joined.leases.values()].map(({ block }) => block));
        this.#dispatch();
      },
    };
  }

  snapshots(): readonly SpectrumSnapshot[] {
    return [...this.#newest.values()];
  }

  onSpectrum(listener: (snapshot: SpectrumSnapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  runSpectrum(run: string): Promise<ExportedSpectrum | null> {
    return Promise.resolve(run === 'test' ? this.#exported(null) : null);
  }

  fileSpectrum(run: string, file: number): Promise<ExportedSpectrum | null> {
    return Promise.resolve(run === 'test' && file === 3 ? this.#exported(file) : null);
  }

  operate(command: OperatorCommand, from: string): Promise<CommandOutcome> {
    this.commands.push({ command, from });
    return Promise.resolve({ outcome: 'done', message: command.action.kind });
  }

  notReady(): readonly string[] {
    return this.reasons;
  }

  #exported(file: number | null): ExportedSpectrum {
    const { geometry, total: moments } = this;
    return { run: 'test', file, files: 1, geometry, moments, firstUtc: null, lastUtc: null, missing: '' };
  }

  #dispatch(): void {
    for (const { link, leases } of this.joined.values()) {
      const joined = this.joined.get(link.id) as Joined;
      while (joined.credits > 0) {
        const block = this.#queue.shift();
        if (block === undefined) return;
        this.#epoch += 1;
        const lease = { block, epoch: this.#epoch };
        joined.credits -= 1;
        leases.set(block.id, lease);
        link.deliver(lease);
      }
    }
  }
}

/** A spectrum whose values all are `value`. */
export const flat = (trace: SpectrumSnapshot['trace'], file: number, value = file): SpectrumSnapshot => ({
  trace,
  run: 'test',
  file,
  files: 1,
  slices: 160,
  slicesExpected: 2731,
  newestUtcMs: Number.NaN,
  time: emptyTimeSums(),
  mean: new Float32Array(GEOMETRY.bins).fill(value),
  std: new Float32Array(GEOMETRY.bins).fill(value / 2),
});
