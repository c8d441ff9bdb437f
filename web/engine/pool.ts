/**
 * Blocks over workers: each block goes, by transfer, to the worker with the fewest; its moments come back the same
 * way. No shared memory, so no isolation headers.
 *
 * A worker that ends takes its blocks with it: they reject, and a new worker takes its place. Workers that end
 * before they have answered anything, several times in a row, are not started again.
 */
import type { BlockMoments } from '../../bridge/protocol/moments.ts';
import type { CpuKind } from './cpu-core.ts';
import { type EngineBlock, EngineError, type EngineErrorCode, type EngineOptions } from './engine.ts';
import type { FromWorker, StartWorker, WorkerPort } from './pool-messages.ts';

/** Two blocks per worker: one in work, one that waits in its queue, so that it never idles. */
const BLOCKS_PER_WORKER = 2;

/** Ends without an answer in between, after which the pool gives up. */
const MOST_FRUITLESS_ENDS = 3;

interface Pending {
  readonly resolve: (moments: BlockMoments) => void;
  readonly reject: (error: EngineError) => void;
}

interface Member {
  readonly port: WorkerPort;
  readonly pending: Map<number, Pending>;
}

export interface PoolOptions {
  readonly workers: number;
  readonly core: CpuKind;
  readonly options: EngineOptions;
  readonly startWorker: StartWorker;
}

export class WorkerPool {
  readonly depth: number;
  readonly #options: PoolOptions;
  readonly #members = new Set<Member>();
  /** Buffers of blocks that are done; as many as can be in flight. */
  readonly #spare: ArrayBuffer[] = [];
  #nextId = 0;
  #fruitlessEnds = 0;
  #broken: EngineError | undefined;

  /** @throws {EngineError} `unavailable`: no worker can be started here */
  constructor(options: PoolOptions) {
    this.#options = options;
    this.depth = BLOCKS_PER_WORKER * options.workers;
    try {
      for (let n = 0; n < options.workers; n++) this.#start();
    } catch (cause) {
      this.#break('unavailable', `no worker can be started: ${messageOf(cause)}`);
      throw this.#broken;
    }
  }

  process(block: EngineBlock): Promise<BlockMoments> {
    const member = [...this.#members].sort((a, b) => a.pending.size - b.pending.size)[0];
    if (this.#broken || !member) return Promise.reject(this.#broken ?? noWorker());
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      member.pending.set(id, { resolve, reject });
      member.port.post({ kind: 'block', id, block }, [block.samples.buffer]);
    });
  }

  /** Every block that comes back brings its buffer, so those of another size are of no more use. */
  spareBuffer(bytes: number): ArrayBuffer | undefined {
    for (let spare = this.#spare.pop(); spare !== undefined; spare = this.#spare.pop())
      if (spare.byteLength === bytes) return spare;
    return undefined;
  }

  async dispose(): Promise<void> {
    const ports = [...this.#members].map(({ port }) => port);
    this.#break('disposed', 'the engine was shut down before the block was computed');
    await Promise.all(ports.map((port) => port.terminate()));
  }

  #start(): void {
    const { startWorker, core, options } = this.#options;
    const pending = new Map<number, Pending>();
    // `member` exists before any event, because events come in later turns of the event loop.
    const member: Member = {
      pending,
      port: startWorker({
        onMessage: (message) => this.#onMessage(member, message),
        onEnd: (reason) => this.#onEnd(member, reason),
      }),
    };
    this.#members.add(member);
    member.port.post({ kind: 'start', core, options }, []);
  }

  #onMessage(member: Member, message: FromWorker): void {
    if (message.kind === 'refused' && message.id === null) {
      this.#break(message.code, message.message);
      return;
    }
    this.#fruitlessEnds = 0;
    const id = message.id as number;
    const pending = member.pending.get(id);
    member.pending.delete(id);
    if (message.kind === 'moments') {
      if (message.spare !== undefined && this.#spare.length < this.depth) this.#spare.push(message.spare);
      pending?.resolve(message.moments);
    } else pending?.reject(new EngineError(message.code, message.message));
  }

  #onEnd(member: Member, reason: string): void {
    if (!this.#members.delete(member)) return;
    const lost = new EngineError(
      'device-lost',
      `a worker of the CPU engine ended (${reason}); the block was not computed: give it again`,
    );
    for (const { reject } of member.pending.values()) reject(lost);
    if (++this.#fruitlessEnds > MOST_FRUITLESS_ENDS) {
      this.#break('unavailable', `workers of the CPU engine keep ending, lastly: ${reason}`);
      return;
    }
    try {
      this.#start();
    } catch (cause) {
      this.#break('unavailable', `an ended worker cannot be replaced: ${messageOf(cause)}`);
    }
  }

  /** No more blocks: rejects those in flight and ends all workers. */
  #break(code: EngineErrorCode, message: string): void {
    const error = new EngineError(code, message);
    this.#broken ??= error;
    const members = [...this.#members];
    this.#members.clear();
    for (const { port, pending } of members) {
      for (const { reject } of pending.values()) reject(error);
      void port.terminate();
    }
  }
}

const noWorker = (): EngineError => new EngineError('unavailable', 'the CPU engine has no worker');
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
