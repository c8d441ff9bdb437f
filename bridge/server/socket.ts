/**
 * The WebSocket side of the server: who may open one, which role it gets, and what all of them hear.
 *
 * `/ws/process` takes messages as long as an answer, `/ws/view` no longer than 4 KiB. A page that may compute
 * but does not know it yet connects to the first and is told its role.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Secret } from '../config/secret.ts';
import type { Logger } from '../logger.ts';
import type { BridgeMetrics } from '../metrics.ts';
import { type Hello, MAX_CONTROL_BYTES, SOCKET_PATHS } from '../protocol/control.ts';
import { momentsFrameBytes } from '../protocol/frames/moments.ts';
import type { BridgeState, ClientRole } from '../protocol/state.ts';
import type { Access } from './access.ts';
import { Connection, type ConnectionOwner, type RoleDecision } from './connection.ts';
import { MAX_BUFFERED_CHUNKS, MAX_FRAGMENTS, type SocketLimits } from './limits.ts';
import { bareResponse } from './security.ts';
import type { BridgeSource } from './source.ts';
import { isToken } from './token.ts';

export interface SocketServerOptions {
  readonly source: BridgeSource;
  readonly access: Access;
  readonly token: Secret;
  readonly software: string;
  readonly metrics: BridgeMetrics;
  readonly log: Logger;
  readonly limits: SocketLimits;
}

/** A connected processor that leases can reach. */
export interface ConnectedProcessor {
  readonly id: string;
  readonly headless: boolean;
}

/** Several changes at once make one state. */
const ANNOUNCE_AFTER_MS = 20;

export class SocketServer {
  readonly #options: SocketServerOptions;
  readonly #servers: Readonly<Record<ClientRole, WebSocketServer>>;
  readonly #connections = new Set<Connection>();
  readonly #listeners = new Set<() => void>();
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #unsubscribe: () => void;
  #announcement: NodeJS.Timeout | null = null;
  #lastId = 0;
  #isClosing = false;

  constructor(options: SocketServerOptions) {
    this.#options = options;
    const { source, limits } = options;
    this.#servers = {
      processor: socketServer(Math.max(MAX_CONTROL_BYTES, momentsFrameBytes(source.geometry.bins))),
      viewer: socketServer(MAX_CONTROL_BYTES),
    };
    this.#unsubscribe = source.onSpectrum((snapshot) => {
      for (const connection of this.#connections) connection.offer(snapshot);
    });
    this.#timers = [
      setInterval(() => this.#sendState(), limits.stateMs),
      setInterval(() => {
        for (const connection of this.#connections) connection.probe();
      }, limits.pingMs),
    ];
  }

  /** For the `upgrade` event of the HTTP server. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const role = roleOfPath(request.url ?? '');
    const status = role === null ? 404 : this.#upgradeStatus(request);
    if (role === null || status !== 101) {
      this.#options.log.warn(
        { status, host: request.headers.host, origin: request.headers.origin },
        'socket refused',
      );
      socket.end(bareResponse(status));
      return;
    }
    this.#servers[role].handleUpgrade(request, socket, head, (client) =>
      this.#connect(client, request, role),
    );
  }

  /** The source's state, with every connected client in it. */
  state(): BridgeState {
    const state = this.#options.source.state();
    const clients = new Map(state.clients.map((client) => [client.id, client]));
    for (const connection of this.#connections)
      if (connection.isOpen && !clients.has(connection.id)) clients.set(connection.id, connection.describe());
    return { ...state, clients: [...clients.values()] };
  }

  processors(): readonly ConnectedProcessor[] {
    return [...this.#connections]
      .filter(({ isProcessing }) => isProcessing)
      .map(({ id, headless }) => ({ id, headless }));
  }

  /** Called when a client came, changed or went; returns the unsubscriber. */
  onClients(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Something important has changed: everybody hears of it now and not at the next turn. */
  announce(): void {
    if (this.#announcement !== null || this.#isClosing) return;
    this.#announcement = setTimeout(() => {
      this.#announcement = null;
      this.#sendState();
    }, ANNOUNCE_AFTER_MS);
  }

  /** Tells everybody that the bridge stops; resolves when all are gone. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const timer of this.#timers) clearInterval(timer);
    if (this.#announcement !== null) clearTimeout(this.#announcement);
    this.#unsubscribe();
    for (const connection of this.#connections) connection.refuse('stopping', 'the bridge is going down');
    await Promise.all(Object.values(this.#servers).map(closed));
  }

  #upgradeStatus(request: IncomingMessage): 101 | 403 | 503 {
    const { host, origin } = request.headers;
    const { access } = this.#options;
    if (this.#isClosing) return 503;
    if (host === undefined || !access.isOurHost(host)) return 403;
    if (origin !== undefined && !access.isOurOrigin(origin, host)) return 403;
    return 101;
  }

  #connect(socket: WebSocket, request: IncomingMessage, path: ClientRole): void {
    const { source, software, limits } = this.#options;
    const isFull = this.#connections.size >= limits.connections;
    const owner: ConnectionOwner = {
      source,
      software,
      limits,
      address: request.socket.remoteAddress ?? 'unknown',
      decideRole: (hello) => this.#decideRole(hello, request, path),
      changed: (connection, how) => this.#changed(connection, how),
      note: ({ id, role }, event, detail) =>
        this.#options.log.warn(
          { client: id, role, address: request.socket.remoteAddress, detail },
          `client ${event}`,
        ),
    };
    this.#lastId += 1;
    const connection = new Connection(`c${this.#lastId}`, socket, owner);
    if (isFull) {
      connection.refuse('busy', `${limits.connections} clients are connected, which is the limit`);
      return;
    }
    this.#connections.add(connection);
    socket.once('close', () => this.#connections.delete(connection));
  }

  #decideRole(hello: Hello, request: IncomingMessage, path: ClientRole): RoleDecision {
    const hasToken = hello.token !== undefined && isToken(this.#options.token, hello.token);
    const wrong = hello.token === undefined ? 'a token is needed' : 'the token is wrong';
    if (request.headers.origin === undefined && !hasToken)
      return {
        refuse: 'token',
        message: `${wrong}: the bridge keeps it in its data folder, or was given it`,
      };
    const isTrusted = hasToken || this.#options.access.isTrustedPage(request);
    // Who asks only to watch changes nothing, unless it shows the token.
    const isOperator = hasToken || (isTrusted && hello.role !== 'viewer' && path !== 'viewer');
    const operatorReason = isOperator ? '' : `${wrong} to change anything`;
    const viewer = (reason: string): RoleDecision => ({ role: 'viewer', reason, operatorReason });
    if (hello.role === 'viewer') return viewer('');
    if (path === 'viewer') return viewer(`processors connect at /${SOCKET_PATHS.processor}`);
    if (isTrusted) return { role: 'processor', reason: '', operatorReason };
    if (hello.role === 'processor') return { refuse: 'token', message: `${wrong} to compute` };
    return viewer(`${wrong} to compute`);
  }

  #changed(connection: Connection, how: string): void {
    const { metrics, log } = this.#options;
    const open = [...this.#connections].filter(({ isOpen }) => isOpen).map((c) => c.describe());
    metrics.setClients(open.map(({ role, engine }) => ({ role, engine: engine?.kind ?? 'none' })));
    const { id, role, headless, engine } = connection.describe();
    log.info({ client: id, role, headless, engine: engine?.name, clients: open.length }, `client ${how}`);
    for (const listener of this.#listeners) listener();
    this.announce();
  }

  #sendState(): void {
    if (![...this.#connections].some(({ isOpen }) => isOpen)) return;
    const text = JSON.stringify({ type: 'state', state: this.state() });
    for (const connection of this.#connections) connection.sendState(text);
  }
}

function socketServer(maxPayload: number): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_BUFFERED_CHUNKS,
  });
}

function roleOfPath(url: string): ClientRole | null {
  const path = url.split('?', 1)[0];
  if (path === `/${SOCKET_PATHS.processor}`) return 'processor';
  if (path === `/${SOCKET_PATHS.viewer}`) return 'viewer';
  return null;
}

const closed = (server: WebSocketServer): Promise<void> =>
  new Promise((resolve) => server.close(() => resolve()));
