/**
 * One port for everything: page, API, metrics and WebSockets; over TLS where there is a certificate.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ListenAddress } from '../config/options.ts';
import type { Secret } from '../config/secret.ts';
import type { Logger } from '../logger.ts';
import type { BridgeMetrics } from '../metrics.ts';
import { Access, urlHost } from './access.ts';
import { isWildcard } from './hosts.ts';
import { type HistorySource, httpHandler } from './http.ts';
import { SOCKET_LIMITS, type SocketLimits } from './limits.ts';
import { bareResponse } from './security.ts';
import { type ConnectedProcessor, SocketServer } from './socket.ts';
import type { BridgeSource } from './source.ts';
import type { CertificateSource } from './tls/certificate.ts';
import { guardTlsPort } from './tls/plain-http.ts';

export interface ServerOptions {
  readonly listen: ListenAddress;
  readonly publicOrigins: readonly string[];
  /** null: plain HTTP. */
  readonly tls: CertificateSource | null;
  readonly token: Secret;
  /** Whether the input is the simulator or a folder, which a page on this machine may compute without a token. */
  readonly trustLocalPages: boolean;
  /** Folder of the built page, `dist/web`. */
  readonly webFolder: string;
  /** Name and version, `haloscope 0.1.0`. */
  readonly software: string;
  readonly metrics: BridgeMetrics;
  readonly history: HistorySource;
  readonly log: Logger;
  readonly limits?: Partial<SocketLimits>;
  /** How often is looked whether the certificate should be replaced; every hour unless given. */
  readonly renewEveryMs?: number;
}

export interface BridgeServer {
  /** By which this machine reaches it, with the port that the system chose where 0 was asked for; ends in `/`. */
  readonly url: string;
  readonly port: number;
  processors(): readonly ConnectedProcessor[];
  /** Called when a client came, changed or went; returns the unsubscriber. */
  onClients(listener: () => void): () => void;
  /** Everybody hears the state now: an alarm, a new run, a file done. */
  announce(): void;
  /** Says `stopping` to everybody and closes; idempotent. */
  close(): Promise<void>;
}

/**
 * Closed list of why a server cannot listen.
 * - `port-taken`: another program listens there
 * - `forbidden`: the port needs privileges
 * - `no-such-address`: this machine has no such address or name
 */
export type ServerErrorCode = 'port-taken' | 'forbidden' | 'no-such-address';

export class ServerError extends Error {
  readonly code: ServerErrorCode;
  constructor(code: ServerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ServerError';
    this.code = code;
  }
}

/** A request's header, and then its (empty) body, must be here within these times. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
const TLS_HANDSHAKE_TIMEOUT_MS = 10_000;
const LEAST_TLS = 'TLSv1.2';
const RENEW_EVERY_MS = 3_600_000;
/** Connections beyond the sockets': a page loads over six, and scrapers keep one. */
const SPARE_CONNECTIONS = 128;

/** @throws {ServerError} */
export async function startServer(source: BridgeSource, options: ServerOptions): Promise<BridgeServer> {
  const { metrics, log, token, software, webFolder, listen, tls } = options;
  const limits = { ...SOCKET_LIMITS, ...options.limits };
  const access = new Access({
    listenHost: listen.host,
    publicOrigins: options.publicOrigins,
    peerOrigins: () => source.peerOrigins(),
    isSecure: tls !== null,
    certificateHosts: tls?.furtherHosts ?? [],
    trustLocalPages: options.trustLocalPages,
  });
  const { http, dropAll } = tls === null ? plainServer() : tlsServer(tls, access, options);
  http.maxConnections = limits.connections + SPARE_CONNECTIONS;
  const port = await listening(http, listen);
  access.listensOn(port);
  const sockets = new SocketServer({ source, access, token, software, metrics, log, limits });
  const handler = httpHandler({
    source,
    access,
    metrics,
    history: options.history,
    software,
    log,
    webFolder,
    authority: () => tls?.authority ?? null,
    state: () => sockets.state(),
  });
  http.on('error', (error) => log.error({ err: error }, 'the server cannot accept connections'));
  // Whatever a client expects beyond an answer (`Expect`), it gets an answer.
  for (const event of ['request', 'checkExpectation'])
    http.on(event, (request: IncomingMessage, response: ServerResponse) => void handler(request, response));
  answerNonsense(http);
  http.on('upgrade', (request, socket, head) => sockets.upgrade(request, socket, head));
  let closing: Promise<void> | null = null;
  return {
    url: `${tls === null ? 'http' : 'https'}://${reachableHost(listen.host)}:${port}/`,
    port,
    processors: () => sockets.processors(),
    onClients: (listener) => sockets.onClients(listener),
    announce: () => sockets.announce(),
    close: () => {
      closing ??= closeAll(http, sockets, dropAll);
      return closing;
    },
  };
}

const HTTP_OPTIONS = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  // A request without Host is refused by us, with the headers of every answer.
  requireHostHeader: false,
};

/** A server that does not listen yet. */
interface ServerKind {
  readonly http: Server;
  /** Ends every connection, whatever state it is in, and all that belongs to the server. */
  readonly dropAll: () => void;
}

function plainServer(): ServerKind {
  const http = createServer(HTTP_OPTIONS);
  return { http, dropAll: () => http.closeAllConnections() };
}

function tlsServer(
  tls: CertificateSource,
  access: Access,
  { log, renewEveryMs = RENEW_EVERY_MS }: ServerOptions,
): ServerKind {
  const http = createTlsServer({
    ...HTTP_OPTIONS,
    ...contextOf(tls),
    handshakeTimeout: TLS_HANDSHAKE_TIMEOUT_MS,
  });
  const door = guardTlsPort(http, (host) => access.isOurHost(host));
  // Scanners, and browsers that do not trust the certificate yet.
  http.on('tlsClientError', (error) => log.debug({ err: error }, 'a TLS connection was not made'));
  const renewal = setInterval(() => void renew(tls, http, log), renewEveryMs).unref();
  return {
    http,
    dropAll: () => {
      clearInterval(renewal);
      door.close();
    },
  };
}

const contextOf = ({ current }: CertificateSource) =>
  ({
    cert: current.chain,
    key: current.key.reveal(),
    minVersion: LEAST_TLS,
  }) as const;

/** Connections that there are keep the certificate that they were made with. */
async function renew(tls: CertificateSource, http: TlsServer, log: Logger): Promise<void> {
  try {
    if (await tls.renew()) {
      http.setSecureContext(contextOf(tls));
      log.info({ fingerprint: tls.current.fingerprint, until: tls.current.validTo }, 'certificate replaced');
    }
  } catch (error) {
    log.error({ err: error, until: tls.current.validTo }, 'the certificate cannot be renewed');
  }
}

/** By which address this machine reaches a server that listens there. */
function reachableHost(host: string): string {
  if (!isWildcard(host)) return urlHost(host);
  return host === '::' ? '[::1]' : '127.0.0.1';
}

/** Closed list of what Node's parser gives up at, and the status that says so; the rest is 400. */
const NONSENSE: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** What is no HTTP gets one answer with the headers of every other; where one is under way, only the end. */
function answerNonsense(http: Server): void {
  const answering = new WeakSet<Duplex>();
  http.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    answering.add(socket);
    response.once('close', () => answering.delete(socket));
  });
  http.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || !socket.writable || answering.has(socket)) socket.destroy();
    else socket.end(bareResponse(NONSENSE[error.code ?? ''] ?? 400));
  });
}

async function closeAll(http: Server, sockets: SocketServer, dropAll: () => void): Promise<void> {
  const ended = new Promise<void>((resolve) => http.close(() => resolve()));
  await sockets.close();
  dropAll();
  await ended;
}

function listening(http: Server, { host, port }: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, host, port)));
    http.listen({ host, port, exclusive: true }, () => {
      http.removeAllListeners('error');
      resolve((http.address() as AddressInfo).port);
    });
  });
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const at = `${urlHost(host)}:${port}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new ServerError(
        'port-taken',
        `${at} is taken by another program: stop it, or choose another port with --listen ${urlHost(host)}:${port + 1}`,
        { cause: error },
      );
    case 'EACCES':
      return new ServerError('forbidden', `${at} needs privileges: choose a port above 1023 with --listen`, {
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ServerError(
        'no-such-address',
        `this machine has no address ${host}: give one of its own with --listen, or 127.0.0.1`,
        { cause: error },
      );
    default:
      return error;
  }
}
