/**
 * Session: one client's side of the wire, in a browser's worker and in Node alike. It connects for ever, takes
 * blocks to the engine and moments back, and hands on what is to be shown.
 *
 *   start ─▶ connecting ─▶ open ─▶ lost ─▶ (backoff) ─▶ open …
 *                 └─────▶ refused ─▶ (backoff, or never, by code)
 *
 * Where bridges share an input it moves to the active one by itself, and from one that is gone to the next.
 *
 * Nothing here waits for a timer while data flow, so a hidden tab keeps its pace. Every queue is bounded: blocks
 * by the credits given, spectra by those not yet answered.
 */
import {
  type Hello,
  parseBridgeMessage,
  type RefusalCode,
  type Refuse,
  SOCKET_PATHS,
} from '../../bridge/protocol/control.ts';
import { decodeBlock } from '../../bridge/protocol/frames/block.ts';
import { frameType } from '../../bridge/protocol/frames/prefix.ts';
import { decodeSpectrum } from '../../bridge/protocol/frames/spectrum.ts';
import { FrameError, PROTOCOL_VERSION, type SpectrumFrame } from '../../bridge/protocol/frames.ts';
import type { CommandOutcome } from '../../bridge/protocol/operator.ts';
import type { BridgeState, ClientRole } from '../../bridge/protocol/state.ts';
import { Bridges } from './bridges.ts';
import type { EngineDescription } from '../engine/engine.ts';
import { Commands, type NewCommand } from './commands.ts';
import { Computer, type ComputerLink, type CreateEngine } from './computer.ts';
import { backoffMs, RECONNECT, type ReconnectTiming } from './reconnect.ts';
import type { Connection } from './updates.ts';

/** What one bridge may have against us and another not. */
const LOCAL_REFUSALS: ReadonlySet<RefusalCode> = new Set(['token', 'protocol', 'busy']);

/** What a session needs of a WebSocket: the browser's has it, and that of `ws`. */
export interface SocketLike {
  binaryType: string;
  send(data: string | ArrayBuffer): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: 'close',
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
  addEventListener(type: 'error', listener: () => void): void;
}

interface SessionHandlers {
  connection(connection: Connection): void;
  state(state: BridgeState): void;
  /** The next spectra come when this has resolved for the ones before. */
  spectrum(spectrum: SpectrumFrame): void | Promise<void>;
  /** Null: none, and then `trouble` says why it could not be made or was lost. */
  engine(description: EngineDescription | null, trouble: string | null): void;
}

export interface SessionOptions {
  /** Address of the bridge, `http:`, `https:`, `ws:` or `wss:`. */
  readonly url: string | URL;
  /** Stays with this bridge whatever it says of others: for its own child. */
  readonly stays?: boolean;
  readonly open: (url: string) => SocketLike;
  /** Name and version, for the bridge's log. */
  readonly software: string;
  readonly role: ClientRole | 'auto';
  readonly headless: boolean;
  readonly token?: string | undefined;
  readonly createEngine: CreateEngine;
  readonly handlers: SessionHandlers;
  readonly timing?: Partial<ReconnectTiming>;
}

/** Address of the socket of a role, whatever scheme the bridge's address has. */
export function socketUrl(bridge: string | URL, role: ClientRole | 'auto'): string {
  const url = new URL(bridge);
  url.protocol = url.protocol === 'https:' || url.protocol === 'wss:' ? 'wss:' : 'ws:';
  url.search = '';
  url.hash = '';
  const folder = url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`;
  url.pathname = `${folder}${SOCKET_PATHS[role === 'viewer' ? 'viewer' : 'processor']}`;
  return url.href;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #timing: ReconnectTiming;
  readonly #computer: Computer;
  readonly #bridges: Bridges;
  readonly #commands = new Commands();
  #role: ClientRole | 'auto';
  #token: string | undefined;
  #socket: SocketLike | null = null;
  #attempts = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watchdog: ReturnType<typeof setInterval> | undefined;
  #silentTicks = 0;
  /** When the connection was lost, by the monotonic clock; null while there is one. */
  #lostMs: number | null = null;
  #restTimer: ReturnType<typeof setTimeout> | undefined;
  /** Rests since the last block that was answered in time. */
  #rests = 0;
  #isStopped = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#timing = { ...RECONNECT, ...options.timing };
    this.#bridges = new Bridges(new URL(options.url), () => performance.now());
    this.#role = options.role;
    this.#token = options.token;
    this.#computer = new Computer(options.createEngine, {
      engine: (description, trouble) => options.handlers.engine(description, trouble),
      broken: (message) => {
        this.#attempts = Number.POSITIVE_INFINITY;
        this.#lose(message);
      },
    });
  }

  /** Connects, and again whenever the connection is lost. */
  start(): void {
    this.#options.handlers.connection({ phase: 'connecting' });
    this.#watchdog = setInterval(() => this.#watch(), this.#timing.watchMs);
    this.#connect();
  }

  /** Tries now instead of waiting: the network is back, or a person asks. */
  reconnect(): void {
    if (this.#isStopped || this.#socket !== null) return;
    this.#attempts = 0;
    this.#connect();
  }

  /** Another token, or none: the connection is made anew with it. */
  setToken(token: string | undefined): void {
    this.#token = token;
    clearTimeout(this.#restTimer);
    this.#role = this.#options.role;
    this.#detach('the token has changed');
    this.reconnect();
  }

  /** What an operator wants, and what became of it. */
  operate(command: NewCommand): Promise<CommandOutcome> {
    return this.#commands.add(command);
  }

  /** Closes the connection and frees the engine; idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#watchdog);
    clearTimeout(this.#timer);
    clearTimeout(this.#restTimer);
    this.#detach('stopped');
    this.#commands.stop();
    await this.#computer.dispose();
  }

  #connect(): void {
    clearTimeout(this.#timer);
    this.#silentTicks = 0;
    const socket = this.#options.open(socketUrl(this.#bridges.current, this.#role));
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    // A socket that was given up may still have something to say.
    const current = (act: () => void) => () => {
      if (this.#socket === socket) act();
    };
    socket.addEventListener(
      'open',
      current(() => socket.send(JSON.stringify(this.#hello()))),
    );
    socket.addEventListener('message', ({ data }) => current(() => this.#received(data))());
    socket.addEventListener('close', ({ code, reason }) =>
      current(() => this.#lose(reason === '' ? closeText(code) : reason))(),
    );
    // Always followed by `close`, which says more.
    socket.addEventListener('error', () => {});
  }

  #hello(): Hello {
    return {
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      software: this.#options.software,
      role: this.#role,
      headless: this.#options.headless,
      ...(this.#token === undefined ? {} : { token: this.#token }),
    };
  }

  /** What cannot be understood ends the connection: after it, nothing that follows could be trusted. */
  #received(data: unknown): void {
    this.#silentTicks = 0;
    try {
      if (typeof data === 'string') this.#said(data);
      else if (data instanceof ArrayBuffer) this.#sent(data);
    } catch (error) {
      const isOtherVersion =
        error instanceof Error && 'code' in error && ['protocol', 'version'].includes(String(error.code));
      const message = error instanceof Error ? error.message : String(error);
      if (isOtherVersion) this.#refused({ type: 'refuse', code: 'protocol', message });
      else this.#lose(`not understood: ${message}`);
    }
  }

  #said(text: string): void {
    const { handlers } = this.#options;
    const message = parseBridgeMessage(text);
    switch (message.type) {
      case 'welcome':
        this.#attempts = 0;
        this.#lostMs = null;
        handlers.connection({ phase: 'open', welcome: message, bridge: this.#bridges.current });
        this.#commands.attach((command) => this.#link().control(command));
        if (message.role === 'processor') this.#computer.attach(this.#link(), message.geometry.bins);
        return;
      case 'refuse':
        return this.#refused(message);
      case 'decided':
        return this.#commands.decided(message.id, message.outcome);
      case 'state':
        handlers.state(message.state);
        return this.#lookAround(message.state);
    }
  }

  #sent(data: ArrayBuffer): void {
    const type = frameType(data);
    switch (type) {
      case 'block':
        return this.#computer.take(decodeBlock(data));
      case 'spectrum':
        return void this.#show(decodeSpectrum(data));
      case 'moments':
        throw new FrameError('type', 'moments go to the bridge and never come from it');
    }
  }

  async #show(spectrum: SpectrumFrame): Promise<void> {
    const socket = this.#socket;
    try {
      await this.#options.handlers.spectrum(spectrum);
    } finally {
      if (socket !== null && socket === this.#socket)
        socket.send(JSON.stringify({ type: 'seen', sequence: spectrum.sequence }));
    }
  }

  /** The computer's way out, for as long as this connection is the current one. */
  #link(): ComputerLink {
    const socket = this.#socket;
    const send = (data: string | ArrayBuffer): void => {
      if (socket !== null && socket === this.#socket) socket.send(data);
    };
    return {
      control: (message) => send(JSON.stringify(message)),
      frame: (frame) => {
        if (socket === this.#socket) this.#rests = 0;
        send(frame);
      },
    };
  }

  /** Moves to the bridge that is active, where this one is not. */
  #lookAround({ group }: BridgeState): void {
    if (this.#options.stays === true || !this.#bridges.learn(group)) return;
    this.#detach('another bridge is active');
    this.#attempts = 0;
    const reason = `moving to ${this.#bridges.current}, which is active`;
    this.#options.handlers.connection({ phase: 'lost', reason, sinceMs: Date.now() });
    this.#connectLater();
  }

  /**
   * `stopping` sends us to the next bridge, and so does whatever another bridge than our own has against us. Of our
   * own, `token` waits for another one; a processor whose results were wrong goes on as a viewer, or, headless, not
   * at all; one that was too slow rests; another version is tried rarely; everything else passes.
   */
  #refused({ code, message }: Refuse): void {
    if (this.#hasOthers && (code === 'stopping' || (!this.#bridges.isHome && LOCAL_REFUSALS.has(code))))
      return this.#lose(`${this.#bridges.current} refuses: ${message}`, true);
    this.#detach('refused');
    this.#options.handlers.connection({ phase: 'refused', code, message });
    if (code === 'token' || (code === 'bad-results' && this.#options.headless)) return;
    if (code === 'bad-results') this.#role = 'viewer';
    if (code === 'silent') this.#rest();
    if (code === 'protocol') this.#attempts = Number.POSITIVE_INFINITY;
    this.#connectLater();
  }

  /** Only watches for a while, so that blocks go to whoever is quicker, and then offers to compute again. */
  #rest(): void {
    const { restMs, longestRestMs } = this.#timing;
    this.#role = 'viewer';
    clearTimeout(this.#restTimer);
    this.#restTimer = setTimeout(
      () => {
        this.#role = this.#options.role;
        this.#detach('computing again');
        this.reconnect();
      },
      Math.min(longestRestMs, restMs * 2 ** this.#rests),
    );
    this.#rests += 1;
  }

  get #hasOthers(): boolean {
    return this.#options.stays !== true && this.#bridges.hasOthers;
  }

  /** @param isGone it will not be back in a moment */
  #lose(reason: string, isGone = false): void {
    this.#detach('lost');
    if (this.#isStopped) return;
    const nowMs = performance.now();
    const isFirstMove = this.#bridges.isHome || this.#lostMs === null;
    this.#lostMs ??= nowMs;
    if (this.#hasOthers) {
      this.#bridges.failed();
      const isDue = isGone || nowMs - this.#lostMs >= this.#timing.moveAfterMs;
      if (isDue && this.#bridges.moveOn() && isFirstMove) this.#attempts = 0;
    }
    this.#options.handlers.connection({ phase: 'lost', reason, sinceMs: Date.now() });
    this.#connectLater();
  }

  #connectLater(): void {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    // Whatever is rarely tried again has been given infinitely many attempts.
    this.#timer = setTimeout(() => this.#connect(), backoffMs(this.#attempts, this.#timing, Math.random()));
    this.#attempts += 1;
  }

  #detach(reason: string): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#computer.detach();
    this.#commands.detach();
    socket?.close(1000, reason);
  }

  /** States come twice a second: a connection that is silent for several turns is dead. */
  #watch(): void {
    if (this.#socket === null) return;
    this.#silentTicks += 1;
    const { silentTurns, silentTurnsWithOthers } = this.#timing;
    const limit = this.#hasOthers ? silentTurnsWithOthers : silentTurns;
    if (this.#silentTicks > limit) this.#lose('the bridge is silent', true);
  }
}

const closeText = (code: number): string =>
  code === 1006 ? 'the bridge does not answer' : `the connection was closed (code ${code})`;
