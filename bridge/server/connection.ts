/**
 * One client's connection, from its hello to its end. It knows the client's role, keeps both sides to the
 * credits, and turns what the client says into calls of its processor session.
 *
 *   awaiting hello ─▶ viewer
 *         │      └──▶ processor without engine ─▶ processor with session
 *         └─────────────────────┴─────────┴────▶ closed
 */
import { type RawData, WebSocket } from 'ws';
import type { Lease, ProcessorLink, ProcessorSession } from '../dispatch/lease.ts';
import {
  type BridgeMessage,
  CLOSE_CODES,
  type ClientMessage,
  ControlError,
  type Hello,
  MAX_CONTROL_BYTES,
  MAX_CREDITS,
  parseClientMessage,
  type RefusalCode,
} from '../protocol/control.ts';
import { encodeBlockHeader } from '../protocol/frames/block.ts';
import { decodeMoments } from '../protocol/frames/moments.ts';
import type { CommandOutcome, OperatorCommand } from '../protocol/operator.ts';
import { FrameError, PROTOCOL_VERSION } from '../protocol/frames.ts';
import type { ClientRole, ClientState, EngineSummary } from '../protocol/state.ts';
import { RateLimit, type SocketLimits } from './limits.ts';
import type { BridgeSource, SpectrumSnapshot } from './source.ts';
import { SpectrumFeed } from './spectrum-feed.ts';

/** Which role a hello is given, or why it is sent away. */
export type RoleDecision =
  | { readonly role: ClientRole; readonly reason: string; readonly operatorReason: string }
  | { readonly refuse: RefusalCode; readonly message: string };

export interface ConnectionOwner {
  readonly source: BridgeSource;
  readonly software: string;
  readonly limits: SocketLimits;
  /** The client's address. */
  readonly address: string;
  decideRole(hello: Hello): RoleDecision;
  changed(connection: Connection, how: 'joined' | 'has an engine' | 'left'): void;
  /** Something that a person may want to know of this client. */
  note(connection: Connection, event: string, detail: string): void;
}

/** RFC 6455 leaves 123 bytes for the reason in a close frame. */
const MAX_CLOSE_REASON_BYTES = 123;

export class Connection {
  readonly id: string;
  readonly #socket: WebSocket;
  readonly #owner: ConnectionOwner;
  readonly #feed: SpectrumFeed;
  readonly #helloTimer: NodeJS.Timeout;
  #rate: RateLimit;
  #phase: 'hello' | 'open' | 'closed' = 'hello';
  #role: ClientRole = 'viewer';
  #headless = false;
  /** Why it may not do what operators may; empty where it may. */
  #operatorReason = 'not welcomed yet';
  #engine: EngineSummary | null = null;
  #session: ProcessorSession | null = null;
  /** Blocks that the client has room for and that have not been sent. */
  #credits = 0;
  /** Blocks sent and not answered, with the epochs of their leases. */
  readonly #inFlight = new Map<number, number>();
  #isHeard = true;
  #isStateFlushed = true;

  constructor(id: string, socket: WebSocket, owner: ConnectionOwner) {
    this.id = id;
    this.#socket = socket;
    this.#owner = owner;
    const { limits } = owner;
    this.#rate = new RateLimit(limits.viewerMessagesPerSecond, limits.burstSeconds, performance.now());
    this.#feed = new SpectrumFeed((frame) => socket.send(frame));
    socket.binaryType = 'arraybuffer';
    socket.on('message', (data, isBinary) => this.#received(data, isBinary));
    socket.on('ping', () => this.#isWithinRate());
    socket.on('pong', () => {
      this.#isHeard = true;
    });
    socket.on('error', (error) => this.#broken(error));
    socket.on('close', () => this.#end());
    this.#helloTimer = setTimeout(() => {
      this.refuse('malformed', `no complete hello within ${limits.helloMs} ms`);
    }, limits.helloMs);
  }

  get role(): ClientRole {
    return this.#role;
  }

  get isOpen(): boolean {
    return this.#phase === 'open';
  }

  /** Whether leases can reach it. */
  get isProcessing(): boolean {
    return this.#session !== null;
  }

  get headless(): boolean {
    return this.#headless;
  }

  describe(): ClientState {
    return {
      id: this.id,
      role: this.#role,
      headless: this.#headless,
      engine: this.#engine,
      blocksInFlight: this.#inFlight.size,
      blocksDone: 0,
      msPerFile: null,
    };
  }

  /** A newer spectrum; sent when the client has seen the ones before it. */
  offer(snapshot: SpectrumSnapshot): void {
    if (this.#phase === 'open') this.#feed.offer(snapshot);
  }

  /** The state as JSON. A client that has not taken the last one misses this one. */
  sendState(text: string): void {
    if (this.#phase !== 'open' || !this.#isStateFlushed) return;
    this.#isStateFlushed = false;
    this.#socket.send(text, () => {
      this.#isStateFlushed = true;
    });
  }

  /** Once per ping interval: drops a client that was silent in the last one, or takes nothing any more. */
  probe(): void {
    const { limits } = this.#owner;
    const most = this.#role === 'processor' ? limits.processorBufferedBytes : limits.viewerBufferedBytes;
    if (!this.#isHeard || this.#socket.bufferedAmount > most) {
      this.#owner.note(this, 'dropped', this.#isHeard ? 'takes no data' : 'answers no ping');
      this.#socket.terminate();
      return;
    }
    this.#isHeard = false;
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  /** Tells the client why, closes, and does not wait for ever for it to agree. */
  refuse(code: RefusalCode, message: string): void {
    if (this.#phase === 'closed') return;
    this.#end();
    if (code !== 'stopping') this.#owner.note(this, code, message);
    this.#send({ type: 'refuse', code, message });
    this.#socket.close(CLOSE_CODES[code], closeReason(message));
    this.#terminateLater();
  }

  #send(message: BridgeMessage): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #isWithinRate(): boolean {
    this.#isHeard = true;
    if (this.#rate.take(performance.now())) return true;
    this.refuse('malformed', 'too many messages per second');
    return false;
  }

  #received(data: RawData, isBinary: boolean): void {
    if (this.#phase === 'closed' || !this.#isWithinRate()) return;
    try {
      if (isBinary) this.#answered(data as ArrayBuffer);
      else this.#said(parseText(data as Buffer));
    } catch (error) {
      if (error instanceof ControlError) this.refuse(error.code, error.message);
      else if (error instanceof FrameError) this.refuse('malformed', `${error.code}: ${error.message}`);
      else throw error;
    }
  }

  #said(message: ClientMessage): void {
    if ((message.type === 'hello') !== (this.#phase === 'hello'))
      throw new ControlError('malformed', `"${message.type}" is out of turn`);
    switch (message.type) {
      case 'hello':
        return this.#greet(message);
      case 'seen':
        if (!this.#feed.seen(message.sequence))
          throw new ControlError('malformed', `spectrum ${message.sequence} was never sent`);
        return;
      case 'engine':
        return this.#setEngine(message.engine);
      case 'credit':
        return this.#granted(message.blocks);
      case 'failed':
        this.#release(message.block, message.epoch);
        this.#processing('failed').failed(message.block, message.epoch, message.code, message.message);
        return;
      case 'command':
        return void this.#commanded(message.command);
    }
  }

  /** Refused here, whatever the page lets people click: a client without the right changes nothing. */
  async #commanded(command: OperatorCommand): Promise<void> {
    const outcome: CommandOutcome =
      this.#operatorReason === ''
        ? await this.#owner.source.operate(command, this.#owner.address)
        : { outcome: 'refused', code: 'not-operator', message: this.#operatorReason };
    this.#send({ type: 'decided', id: command.id, outcome });
  }

  #greet(hello: Hello): void {
    const { source, software, limits } = this.#owner;
    const decision = this.#owner.decideRole(hello);
    if ('refuse' in decision) {
      this.refuse(decision.refuse, decision.message);
      return;
    }
    clearTimeout(this.#helloTimer);
    this.#phase = 'open';
    this.#role = decision.role;
    this.#headless = hello.headless;
    this.#operatorReason = decision.operatorReason;
    this.#send({
      type: 'welcome',
      protocol: PROTOCOL_VERSION,
      software,
      client: this.id,
      role: decision.role,
      roleReason: decision.reason,
      operatorReason: decision.operatorReason,
      geometry: source.geometry,
      run: source.state().run.name,
    });
    for (const snapshot of source.snapshots()) this.offer(snapshot);
    if (decision.role === 'processor')
      this.#rate = new RateLimit(limits.processorMessagesPerSecond, limits.burstSeconds, performance.now());
    this.#owner.changed(this, 'joined');
  }

  /** The first engine makes a processor; a later one is reported. */
  #setEngine(engine: EngineSummary): void {
    if (this.#role !== 'processor') throw new ControlError('malformed', 'a viewer has no engine');
    this.#engine = engine;
    if (this.#session === null) this.#session = this.#owner.source.join(this.#link(engine));
    else this.#session.engineChanged(engine);
    this.#owner.changed(this, 'has an engine');
  }

  #link(engine: EngineSummary): ProcessorLink {
    return {
      id: this.id,
      headless: this.#headless,
      engine,
      deliver: (lease) => this.#deliver(lease),
      dismiss: (code, message) => this.refuse(code, message),
    };
  }

  /** Header and segments as fragments of one message; nothing is copied together. */
  #deliver({ block, epoch }: Lease): void {
    if (this.#phase !== 'open') return;
    if (this.#credits < 1) throw new Error(`block ${block.id} for ${this.id}, which has no credit left`);
    this.#credits -= 1;
    this.#inFlight.set(block.id, epoch);
    this.#socket.send(encodeBlockHeader({ ...block, block: block.id, epoch }), { fin: false });
    const last = block.segments.length - 1;
    for (const [i, segment] of block.segments.entries())
      this.#socket.send(segment.value, { fin: i === last });
  }

  #granted(blocks: number): void {
    const session = this.#processing('credit');
    if (this.#credits + this.#inFlight.size + blocks > MAX_CREDITS)
      throw new ControlError('malformed', `room for more than ${MAX_CREDITS} blocks`);
    this.#credits += blocks;
    session.grant(blocks);
  }

  #answered(data: ArrayBuffer): void {
    const { block, epoch, moments, computeMs } = decodeMoments(data);
    const session = this.#processing('moments');
    const { bins } = this.#owner.source.geometry;
    if (moments.mean.length !== bins)
      throw new ControlError('malformed', `moments of ${moments.mean.length} bins, expected ${bins}`);
    this.#release(block, epoch);
    session.answer(block, epoch, moments, computeMs);
  }

  /** An answer makes room only for the block that it is for: nobody gains room by answering twice. */
  #release(block: number, epoch: number): void {
    if (this.#inFlight.get(block) === epoch) this.#inFlight.delete(block);
  }

  #processing(what: string): ProcessorSession {
    if (this.#session !== null) return this.#session;
    throw new ControlError('malformed', `${what} from a client that is no processor with an engine`);
  }

  /** ws has already begun to close: too large, too many fragments, no UTF-8, or the network. */
  #broken(error: Error): void {
    this.#owner.note(this, 'broken', error.message);
    this.#end();
    this.#terminateLater();
  }

  /** Nothing it says counts any more, and its leases are free. */
  #end(): void {
    if (this.#phase === 'closed') return;
    const wasOpen = this.isOpen;
    this.#phase = 'closed';
    clearTimeout(this.#helloTimer);
    const session = this.#session;
    this.#session = null;
    session?.leave();
    if (wasOpen) this.#owner.changed(this, 'left');
  }

  #terminateLater(): void {
    const timer = setTimeout(() => this.#socket.terminate(), this.#owner.limits.closeMs);
    this.#socket.once('close', () => clearTimeout(timer));
  }
}

function parseText(data: Buffer): ClientMessage {
  if (data.byteLength > MAX_CONTROL_BYTES)
    throw new ControlError('malformed', `control messages have at most ${MAX_CONTROL_BYTES} bytes`);
  return parseClientMessage(data.toString('utf8'));
}

/** ASCII, so that letters are bytes. */
const closeReason = (message: string): string =>
  message.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_CLOSE_REASON_BYTES);
