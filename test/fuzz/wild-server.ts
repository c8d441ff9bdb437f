/** A real server on a socket, with something to steal beside its page, and clients that send bytes as they please. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '../../bridge/config/secret.ts';
import { createLogger } from '../../bridge/logger.ts';
import { BridgeMetrics } from '../../bridge/metrics.ts';
import { startServer } from '../../bridge/server/server.ts';
import { TestSource } from '../server/source.ts';

export const TOKEN = 'token-that-nobody-may-see';
/** What is in files that are none of the page's. */
export const FORBIDDEN = 'not for the public';

const HANG_MS = 20_000;

export interface WildServer {
  readonly port: number;
  readonly source: TestSource;
  /** Where its page lies; no answer may say so. */
  readonly folder: string;
  /** Connections of TCP that the process has, both ends counted. */
  connections(): number;
  stop(): Promise<void>;
}

export async function wildServer(): Promise<WildServer> {
  const folder = mkdtempSync(join(tmpdir(), 'haloscope-fuzz-web-'));
  const web = join(folder, 'web');
  mkdirSync(join(web, 'assets'), { recursive: true });
  mkdirSync(join(folder, 'web-other'));
  writeFileSync(join(web, 'index.html'), '<!doctype html><title>haloscope</title>');
  writeFileSync(join(web, 'assets', 'main-0a1b2c3d.js'), 'export {};');
  writeFileSync(join(web, '.hidden'), FORBIDDEN);
  writeFileSync(join(folder, 'web-other', 'file.txt'), FORBIDDEN);
  writeFileSync(join(folder, 'file.txt'), FORBIDDEN);
  symlinkSync(join(folder, 'web-other'), join(web, 'link'));
  const source = new TestSource();
  const server = await startServer(source, {
    listen: { host: '127.0.0.1', port: 0 },
    publicOrigins: [],
    tls: null,
    token: new Secret(TOKEN),
    trustLocalPages: true,
    webFolder: web,
    software: 'haloscope test',
    metrics: new BridgeMetrics(),
    history: { query: () => null },
    log: createLogger('silent', false),
  });
  return {
    port: server.port,
    source,
    folder,
    connections: () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length,
    stop: async () => {
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** After so much silence nothing more is expected, and the client says that this was all. */
const QUIET_MS = 25;

/**
 * Sends pieces and returns all that comes until the server closes. Where it waits for more, the client ends first:
 * at once, or when nothing has come for a while, because an end cuts off answers that are still being read from disk.
 */
export function exchange(
  port: number,
  pieces: readonly (Buffer | string)[],
  end: 'at once' | 'when quiet',
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    const hang = setTimeout(() => {
      reject(new Error(`no end within ${HANG_MS} ms`));
      socket.destroy();
    }, HANG_MS);
    if (end === 'when quiet') socket.setTimeout(QUIET_MS, () => socket.end());
    socket.on('data', (data) => received.push(data));
    // A server that has had enough may reset.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(hang);
      resolve(Buffer.concat(received));
    });
    for (const piece of pieces) socket.write(piece, 'latin1');
    if (end === 'at once') socket.end();
  });
}
