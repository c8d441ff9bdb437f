/**
 * A Kafka client that can be closed for certain: it holds its sockets, and closing it destroys them. kafkajs alone
 * may wait tens of seconds for a broker that has stopped answering, or go on in the background after `disconnect`.
 *
 * Nothing outside this folder imports kafkajs.
 */

import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Kafka, type KafkaConfig, type LogEntry, logLevel, type RetryOptions } from 'kafkajs';
import type { KafkaConnection } from '../../config/options.ts';
import type { Logger } from '../../logger.ts';
import { quickenEncoding } from './encoding.ts';

export interface KafkaClientOptions {
  readonly connection: KafkaConnection;
  /** What the broker's own logs and quotas call this client. */
  readonly clientId: string;
  readonly logger: Logger;
}

/** For connections and metadata; with a dead broker it gives up after about a second, and its caller tries again. */
export const CLIENT_RETRY: RetryOptions = {
  initialRetryTime: 100,
  multiplier: 2,
  maxRetryTime: 500,
  retries: 3,
};
const CONNECTION_TIMEOUT_MS = 3_000;
/** A broker that is alive answers within its `replica.lag.time.max.ms` at worst; 30 s is kafkajs's default. */
const REQUEST_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 30_000;

/** Why kafkajs encodes in its own, slow way, until that has been said; null when it does not. */
let slowBecause = quickenEncoding();

export class KafkaClient {
  readonly kafka: Kafka;
  readonly #sockets = new Set<Socket>();
  #closed = false;

  /** @param retry how long connections are tried; no retry of a single call lasts longer than this one */
  constructor(options: KafkaClientOptions, retry: RetryOptions = CLIENT_RETRY) {
    if (slowBecause !== null) options.logger.warn({ reason: slowBecause }, 'sending to Kafka will be slow');
    slowBecause = null;
    this.kafka = new Kafka({
      ...security(options.connection),
      brokers: [...options.connection.brokers],
      clientId: options.clientId,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      retry,
      logLevel: logLevel.INFO,
      logCreator: () => (entry) => writeLine(options.logger, entry),
      socketFactory: ({ host, port, ssl, onConnect }) => this.#connect(host, port, ssl, onConnect),
    });
  }

  /** Ends every connection now; requests on the way fail, and no new connection is made. */
  close(): void {
    this.#closed = true;
    for (const socket of this.#sockets) socket.destroy(new Error('client closed'));
  }

  #connect(host: string, port: number, ssl: object | undefined, onConnect: () => void): Socket {
    // kafkajs takes this for a connection that failed, and runs out of retries.
    if (this.#closed) throw new Error('client closed');
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = ssl
      ? connectTls({ host, port, ...name, ...ssl }, onConnect)
      : connect({ host, port }, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }
}

/** kafkajs speaks of every failed attempt at level error. What matters is reported by its callers, so: debug. */
function writeLine(logger: Logger, { namespace, label, log }: LogEntry): void {
  const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...fields } = log;
  logger.debug({ kafkajs: namespace, severity: label, ...fields }, message);
}

function security({ ssl, sasl }: KafkaConnection): Pick<KafkaConfig, 'ssl' | 'sasl'> {
  const tls =
    ssl === null
      ? {}
      : {
          ssl: {
            ...(ssl.ca === null ? {} : { ca: [ssl.ca] }),
            ...(ssl.cert === null ? {} : { cert: ssl.cert }),
            ...(ssl.key === null ? {} : { key: ssl.key.reveal() }),
          },
        };
  if (sasl === null) return tls;
  const { mechanism, username, password } = sasl;
  return {
    ...tls,
    sasl: { mechanism, username, password: password.reveal() } as KafkaConfig['sasl'] & object,
  };
}

/** Headers as text. Kafka allows a name more than once; the last one counts. */
export function textHeaders(
  headers: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>> | undefined,
): Record<string, string> {
  const text: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    const one = Array.isArray(value) ? value.at(-1) : value;
    if (one !== undefined && one !== null) text[name] = one.toString();
  }
  return text;
}
