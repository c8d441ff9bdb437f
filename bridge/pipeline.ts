/**
 * The bridge itself: input ─▶ assembler ─▶ dispatcher ─▶ assembler ─▶ publisher ─▶ output, and what is shown of it.
 *
 * Crash-only: whatever goes wrong with the log ends the assignment. State is dropped, the output acquired anew, and
 * everything goes on from the committed progress, exactly as after a kill −9.
 */
import { performance } from 'node:perf_hooks';
import { Alarms } from './alarms.ts';
import { HeaderlessError } from './assembly/assembler.ts';
import type { OpenFile } from './assembly/open-file.ts';
import { NewLogError } from './assembly/positions.ts';
import { HARMLESS_REASONS, type RejectionReason } from './assembly/rejection.ts';
import { Dispatcher } from './dispatch/dispatcher.ts';
import type { ProcessorLink, ProcessorSession } from './dispatch/lease.ts';
import { FlowControl } from './flow.ts';
import { LagMeter } from './lag.ts';
import { type AssignedPartition, type InputRecord, LogError, type RetentionPort } from './log/port.ts';
import type { ExportedSpectrum } from './protocol/exports.ts';
import { PROTOCOL_VERSION } from './protocol/frames.ts';
import type { Geometry } from './protocol/geometry.ts';
import type { BlockMoments } from './protocol/moments.ts';
import type { CommandOutcome, OperatorCommand } from './protocol/operator.ts';
import type { BridgeState, ClientState } from './protocol/state.ts';
import { Operators } from './operators.ts';
import { Peers } from './peers.ts';
import { isoUtc } from './protocol/utc.ts';
import { RetentionMeter } from './retention.ts';
import type { BridgeSource, SpectrumSnapshot } from './server/source.ts';
import type { Share, ShareEvents } from './share.ts';
import { Shares, type SharesOptions } from './shares.ts';
import { fileSpectrum, runSpectrum } from './spectra.ts';
import { emptyRunState, runState } from './run-wide.ts';
import { type SnapshotFacts, View } from './view.ts';

/** Period of the bridge's own clock: lingering blocks, lease deadlines, quiet files. */
const TICK_MS = 50;
/** After an output error the next assignment waits, longer each time. */
const REASSIGN_FIRST_MS = 200;
const REASSIGN_LAST_MS = 10_000;
/** A bridge that stands by looks this often whether it could publish. */
const STANDBY_LOOK_MS = 2_000;
/** A stop waits this long for the files in hand, and gives up earlier when nothing moves. */
const DRAIN_MS = 7_000;
const DRAIN_QUIET_MS = 1_500;
/** Of the operators' log, what everybody sees. */
const OPERATIONS_SHOWN = 20;

export interface PipelineOptions extends SharesOptions {
  /** How long the input keeps what waits; null where it deletes nothing. */
  readonly retention: RetentionPort | null;
  /** Name of this machine. */
  readonly machine: string;
}

export class Pipeline implements BridgeSource {
  readonly geometry: Geometry;
  readonly #options: PipelineOptions;
  readonly #alarms: Alarms;
  readonly #view: View;
  readonly #dispatcher: Dispatcher;
  readonly #flow: FlowControl;
  readonly #lag: LagMeter;
  readonly #retention: RetentionMeter;
  readonly #shares: Shares;
  readonly #operators: Operators;
  readonly #peers: Peers;
  readonly #processors = new Map<string, ProcessorLink>();
  readonly #rejected = new Map<string, number>();
  readonly #startedUtc = new Date().toISOString();
  /** Why nothing is read any more. */
  #refusal: string | null = null;
  #inputTrouble: string | null = 'not connected yet';
  #outputTrouble: string | null = 'not connected yet';
  /** As committed: what the assembler has beyond it may still be taken back. */
  #run: BridgeState['run'];
  #latest: BridgeState['latest'] = null;
  #newestUtcMs = Number.NaN;
  #filesSinceStart = 0;
  #reassignMs = REASSIGN_FIRST_MS;
  #reassignTimer: NodeJS.Timeout | null = null;
  #clock: NodeJS.Timeout | null = null;
  #lastTickMs = performance.now();
  /** Time that this process was awake: one that was stopped must not take everybody else for silent. */
  #awakeMs = 0;
  #standbyLookMs = -Infinity;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.geometry = options.geometry;
    this.#alarms = new Alarms(options.logger);
    this.#run = emptyRunState(options.run);
    this.#view = new View(options.geometry);
    this.#flow = new FlowControl(options.input);
    this.#lag = new LagMeter(options.input, options.metrics, options.logger);
    this.#retention = new RetentionMeter({ ...options, alarms: this.#alarms });
    this.#peers = new Peers(options.machine);
    this.#shares = new Shares(options, this.#alarms, this.#shareEvents(), () => this.#showRestored());
    this.#operators = new Operators({
      shares: this.#shares,
      isStandby: () => this.#isStandby,
      logger: options.logger,
    });
    this.#dispatcher = new Dispatcher(
      {
        counted: (block, moments, engine) => this.#counted(block.id, moments, engine.kind),
        abandoned: (block, reason) => {
          for (const assembler of this.#shares.assemblers) assembler.abandon(block.id, reason);
        },
        trouble: (code, message) => this.#alarms.raise(code, message),
      },
      () => this.#awakeMs,
    );
  }

  async start(): Promise<void> {
    this.#clock = setInterval(() => this.#tick(), TICK_MS);
    await this.#options.input.start({
      assigned: (partitions) => this.#assigned(partitions),
      revoked: () => this.#revoked(),
      records: (partition, records, endOffset) => this.#records(partition, records, endOffset),
      trouble: (error) => this.#inputTroubled(error),
    });
  }

  /** Finishes and publishes the files in hand as far as that is possible in a few seconds, then lets go of the log. */
  async stop(): Promise<void> {
    await this.#drain();
    if (this.#clock) clearInterval(this.#clock);
    if (this.#reassignTimer) clearTimeout(this.#reassignTimer);
    await this.#options.input.stop();
    this.#revoked();
    this.#retention.close();
    await this.#shares.release();
  }

  // What the server asks for.

  join(link: ProcessorLink): ProcessorSession {
    this.#processors.set(link.id, link);
    const session = this.#dispatcher.join(link);
    return {
      ...session,
      grant: (blocks) => {
        session.grant(blocks);
        this.#control();
      },
      leave: () => {
        this.#processors.delete(link.id);
        session.leave();
        this.#control();
      },
    };
  }

  snapshots(): readonly SpectrumSnapshot[] {
    return this.#view.snapshots();
  }

  onSpectrum(listener: (snapshot: SpectrumSnapshot) => void): () => void {
    return this.#view.onSpectrum(listener);
  }

  /** Whether a processor other than headless ones is connected. */
  get hasBrowser(): boolean {
    return this.#dispatcher.hasBrowser;
  }

  peerOrigins(): ReadonlySet<string> {
    return this.#peers.origins(this.#options.input.group ?? null);
  }

  notReady(): readonly string[] {
    const reasons = [];
    if (this.#inputTrouble !== null) reasons.push(`input: ${this.#inputTrouble}`);
    if (this.#outputTrouble !== null) reasons.push(`output: ${this.#outputTrouble}`);
    return reasons;
  }

  operate(command: OperatorCommand, from: string): Promise<CommandOutcome> {
    return this.#operators.operate(command, from);
  }

  runSpectrum(name: string): Promise<ExportedSpectrum | null> {
    const run = this.#shares.runWide.get(name);
    const annotations = this.#operators.annotationsOf(name);
    return Promise.resolve(runSpectrum(run, this.geometry, this.#shares.incomplete(), annotations));
  }

  fileSpectrum(run: string, file: number): Promise<ExportedSpectrum | null> {
    return fileSpectrum(this.#options.output, run, file);
  }

  state(): BridgeState {
    const { input, output, software } = this.#options;
    const { files } = this.#lag;
    return {
      software,
      protocol: PROTOCOL_VERSION,
      utc: new Date().toISOString(),
      startedUtc: this.#startedUtc,
      geometry: this.geometry,
      input: { kind: input.kind, reachable: this.#inputTrouble === null, trouble: this.#inputTrouble },
      output: { kind: output.kind, reachable: this.#outputTrouble === null, trouble: this.#outputTrouble },
      group: this.#peers.state(input.group ?? null),
      run: this.#run,
      lag: files === null ? null : { files, seconds: files * this.#fileSeconds() },
      retention: this.#retention.state(),
      current: this.#currentFile(),
      latest: this.#latest,
      newestDatumUtc: isoUtc(this.#newestUtcMs),
      headerless: this.#shares.assemblers.some(({ headerless }) => headerless),
      clients: [...this.#processors.values()].map((link) => this.#describe(link)),
      rejected: Object.fromEntries(this.#rejected),
      incomplete: this.#shares.incomplete().slice(-100),
      annotations: this.#operators.annotationsOf(this.#run.name),
      operations: this.#operators.log().slice(-OPERATIONS_SHOWN),
      alarms: this.#alarms.list(),
    };
  }

  #describe(link: ProcessorLink): ClientState {
    const figures = this.#dispatcher.figures(link.id);
    const msPerSlice = figures?.msPerSlice ?? null;
    return {
      id: link.id,
      role: 'processor',
      headless: link.headless,
      engine: figures?.engine ?? link.engine,
      blocksInFlight: figures?.blocksInFlight ?? 0,
      blocksDone: figures?.blocksDone ?? 0,
      msPerFile: msPerSlice === null ? null : msPerSlice * this.#options.slicesPerFile,
    };
  }

  #currentFile(): BridgeState['current'] {
    const open = this.#shares.openFiles();
    const oldest = open.reduce<OpenFile | null>((a, b) => (a && a.number <= b.number ? a : b), null);
    return oldest && { file: oldest.number, slicesDone: oldest.moments.count, slices: oldest.slices };
  }

  #fileSeconds(): number {
    return (this.#options.slicesPerFile * this.geometry.bins) / this.geometry.sampleRateHz;
  }

  // The life of an assignment.

  async #assigned(partitions: readonly AssignedPartition[]): Promise<ReadonlyMap<number, number>> {
    this.#revoked();
    let starts: ReadonlyMap<number, number> | null;
    try {
      starts = await this.#shares.open(partitions);
      this.#outputTrouble = null;
    } catch (error) {
      this.#outputTrouble = messageOf(error);
      throw error;
    }
    if (starts === null) return new Map();
    this.#inputTrouble = null;
    this.#operators.restore();
    this.#showRestored();
    this.#flow.reset();
    this.#control();
    return starts;
  }

  #shareEvents(): ShareEvents {
    return {
      block: (block) => this.#dispatcher.add(block),
      rejected: (reason, message, record, slices) => this.#reject(reason, message, record, slices),
      incomplete: (file, entry) => {
        this.#options.metrics.fileIncomplete();
        this.#alarms.raise(
          'incomplete',
          `file ${file.number} of ${entry.run} was given up: ${entry.missing}`,
        );
      },
      replayed: ({ run, file }, record) =>
        this.#alarms.raise(
          'replayed',
          `file ${file} of ${run} came again with the same content, and was dropped`,
          this.#where(record),
        ),
      runBegan: (name, why, record) =>
        this.#alarms.raise('file-jump', `${why}: data go on as run ${name}`, this.#where(record)),
      published: (share, file) => this.#published(share, file),
      operated: (share) => this.#operated(share),
      failed: (error) => this.#outputFailed(error),
    };
  }

  #revoked(): void {
    this.#shares.drop();
    this.#retention.reset();
    this.#dispatcher.clear();
  }

  /** Never to be mended by trying again: nothing is read any more, and the others take over. */
  #refuse(reason: string): void {
    this.#refusal = reason;
    this.#inputTrouble = reason;
    this.#alarms.raise('scale-out', reason);
    this.#revoked();
    void this.#options.input.stop();
  }

  /** Everything begins again from the committed progress, after a pause that grows while it keeps failing. */
  #restart(): void {
    this.#revoked();
    if (this.#reassignTimer || this.#refusal !== null) return;
    this.#reassignTimer = setTimeout(() => {
      this.#reassignTimer = null;
      this.#options.input.reassign();
    }, this.#reassignMs);
    this.#reassignMs = Math.min(2 * this.#reassignMs, REASSIGN_LAST_MS);
  }

  #outputFailed(error: LogError): void {
    this.#outputTrouble = error.message;
    this.#alarms.raise(error.code === 'fenced' ? 'fenced' : 'output', error.message);
    this.#restart();
  }

  /** The input is not there yet, and somebody else keeps trying. */
  cannotBegin(error: LogError): void {
    this.#inputTroubled(error);
  }

  #inputTroubled(error: LogError | null): void {
    if (this.#refusal !== null) return;
    this.#inputTrouble = error?.message ?? null;
    if (error) this.#alarms.raise(error.code, `${this.#options.inputName}: ${error.message}`);
  }

  // The way of the data.

  #records(partition: number, records: readonly InputRecord[], endOffset: number): void {
    const share = this.#shares.of(partition);
    if (!share) return;
    const { assembler } = share;
    const nowMs = performance.now();
    try {
      for (const record of records) assembler.accept(record, endOffset, nowMs);
    } catch (error) {
      if (error instanceof HeaderlessError) return this.#refuse(headerlessReason(error));
      if (!(error instanceof NewLogError)) throw error;
      const progress = assembler.progress();
      this.#revoked();
      void share.resumption.commitNewLog(error, progress).then(
        () => this.#restart(),
        (failure: unknown) =>
          this.#outputFailed(new LogError('unavailable', messageOf(failure), { cause: failure })),
      );
      return;
    }
    const sliceBytes = this.geometry.bins * 8;
    const bytes = records.reduce((sum, record) => sum + (record.value?.length ?? 0), 0);
    this.#options.metrics.slicesReceived(Math.floor(bytes / sliceBytes));
    assembler.positions.setEnd(partition, endOffset);
    this.#control();
  }

  #counted(block: number, moments: BlockMoments, engine: string): void {
    let file: OpenFile | null = null;
    for (const assembler of this.#shares.assemblers) file ??= assembler.count(block, moments, engine);
    if (file) {
      this.#newestUtcMs = maxDefined(this.#newestUtcMs, file.newestUtcMs);
      this.#view.showProgress(this.#factsOf(file), file.moments, performance.now());
    }
    this.#control();
  }

  #published({ part, assembler }: Share, file: OpenFile): void {
    const facts = this.#factsOf(file);
    const run = assembler.runs.get(facts.run);
    if (run !== null) this.#shares.runWide.committed(part, run);
    this.#outputTrouble = null;
    this.#reassignMs = REASSIGN_FIRST_MS;
    this.#filesSinceStart++;
    this.#latest = {
      file: file.number,
      slices: file.moments.count,
      publishedUtc: new Date().toISOString(),
    };
    this.#view.show('latest', facts, file.moments);
    this.#showRun((this.#options.scaleOut === null ? this.#shares.currentRun() : null) ?? facts.run);
    this.#options.logger.debug(
      { run: facts.run, file: file.number, slices: file.moments.count },
      'published',
    );
    this.#control();
  }

  #showRun(name: string): void {
    const run = this.#shares.runWide.get(name);
    this.#run = run === null ? emptyRunState(name) : runState(run);
    if (!run?.sums) return;
    const facts = {
      run: name,
      file: run.lastFile,
      files: run.files,
      slicesExpected: 0,
      newestUtcMs: run.lastUtcMs,
    };
    this.#view.show('run', facts, run.sums);
  }

  /** What is shown when it was not this bridge that has just published. */
  #showRestored(): void {
    const name = this.#shares.currentRun() ?? this.#run.name;
    this.#newestUtcMs = maxDefined(
      this.#newestUtcMs,
      this.#shares.runWide.get(name)?.lastUtcMs ?? Number.NaN,
    );
    this.#showRun(name);
  }

  /** At once, and not with the next file: what was ended is shown no more. */
  #operated({ part, assembler }: Share): void {
    this.#shares.runWide.set(part, assembler.runs.toProgress().runs);
    this.#operators.restore();
    const name = this.#shares.currentRun() ?? this.#run.name;
    this.#view.keep(name, this.#shares.runWide.get(name)?.sums != null);
    this.#showRun(name);
  }

  #factsOf(file: OpenFile): SnapshotFacts {
    const place = { run: file.run, file: file.number };
    const [assembler] = this.#shares.assemblers;
    return {
      run: assembler?.runs.titleOf(place) ?? file.run,
      file: file.number,
      files: 1,
      slicesExpected: file.slices ?? 0,
      newestUtcMs: file.newestUtcMs,
    };
  }

  #reject(reason: RejectionReason, message: string, record: InputRecord, slices: number): void {
    const count = Math.max(1, slices);
    this.#rejected.set(reason, (this.#rejected.get(reason) ?? 0) + count);
    this.#options.metrics.slicesRejected(reason, count);
    if (HARMLESS_REASONS.has(reason)) {
      this.#options.logger.debug({ reason, ...this.#where(record) }, message);
    } else this.#alarms.raise(reason, message, this.#where(record));
  }

  #where(record: InputRecord): Record<string, unknown> {
    return { topic: this.#options.inputName, partition: record.partition, offset: record.offset };
  }

  // The clock.

  #tick(): void {
    const nowMs = performance.now();
    // A process that was stopped must not count its sleep as quiet time of the files.
    const elapsedMs = Math.min(nowMs - this.#lastTickMs, 4 * TICK_MS);
    this.#lastTickMs = nowMs;
    this.#awakeMs += elapsedMs;
    this.#dispatcher.tick();
    void this.#shares.tick(nowMs);
    if (this.#shares.isEmpty) return void this.#standBy(nowMs);
    const isKnown = this.#inputTrouble === null && this.#lag.knowsEnds(nowMs);
    const { assemblers } = this.#shares;
    for (const assembler of assemblers) {
      assembler.flush(nowMs);
      assembler.tick(elapsedMs, (partition) => isKnown && !this.#flow.isPaused(partition));
    }
    this.#lag.tick(assemblers, nowMs);
    this.#retention.tick(assemblers, nowMs);
    this.#control();
  }

  get #isStandby(): boolean {
    return this.#options.input.group?.partitions.length === 0;
  }

  /** Without partitions nothing is published, so only asking tells whether it could be. */
  async #standBy(nowMs: number): Promise<void> {
    if (!this.#isStandby || nowMs - this.#standbyLookMs < STANDBY_LOOK_MS) return;
    this.#standbyLookMs = nowMs;
    const isThere = await this.#options.output.ping();
    if (this.#shares.isEmpty) this.#outputTrouble = isThere ? null : 'it does not answer';
  }

  /** Pauses and resumes partitions as memory and the order of files demand. */
  #control(): void {
    const { assemblers } = this.#shares;
    if (assemblers.length === 0) return;
    this.#flow.apply(
      assemblers.flatMap(({ positions }) => positions.partitions()),
      this.#dispatcher.outstandingBytes + this.#shares.waitingBytes,
      this.#dispatcher.hasProcessor,
      new Set(assemblers.flatMap((assembler) => [...assembler.partitionsAhead()])),
    );
  }

  async #drain(): Promise<void> {
    const deadline = performance.now() + DRAIN_MS;
    let quietSinceMs = performance.now();
    let done = -1;
    for (;;) {
      for (const assembler of this.#shares.assemblers) assembler.draining = true;
      if (this.#shares.idle) return;
      const open = this.#shares.openFiles();
      const nowMs = performance.now();
      const counted = open.reduce((sum, file) => sum + file.moments.count, 0) + this.#filesSinceStart * 1e6;
      if (counted !== done) {
        done = counted;
        quietSinceMs = nowMs;
      }
      if (nowMs > deadline || nowMs - quietSinceMs > DRAIN_QUIET_MS) return;
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
  }
}

const headerlessReason = ({ message }: HeaderlessError): string =>
  `${message}: such senders spread a file over all partitions, so bridges cannot share them; ` +
  'start all bridges of the group without --scale-out, or send with headers';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const maxDefined = (a: number, b: number): number =>
  Number.isNaN(a) ? b : Number.isNaN(b) ? a : Math.max(a, b);
