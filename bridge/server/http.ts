/**
 * The HTTP side of the server: health, metrics, state, exports, and the page's files.
 *
 *   /healthz /readyz /metrics /api/state
 *   /api/runs/RUN/spectrum.csv|ecsv|npz|json
 *   /api/runs/RUN/files/N.csv|json
 *   /api/runs/RUN/history?from=FILE&to=FILE&rows=N   (`protocol/history.ts`)
 *   /ca.crt: the certificate authority that the bridge has made for itself
 *   anything else: the built page
 */
import { existsSync, realpathSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join, sep } from 'node:path';
import sirv from 'sirv';
import type { Logger } from '../logger.ts';
import type { BridgeMetrics } from '../metrics.ts';
import {
  type ExportedSpectrum,
  exportCsv,
  exportEcsv,
  exportFileName,
  exportJson,
  exportNpz,
} from '../protocol/exports.ts';
import type { HistoryQuery } from '../protocol/history.ts';
import { isRunName } from '../protocol/run-name.ts';
import type { BridgeState } from '../protocol/state.ts';
import type { Access } from './access.ts';
import { securityHeaders } from './security.ts';
import type { BridgeSource } from './source.ts';
import type { Authority } from './tls/certificate.ts';

/** Rows of a run, encoded as `protocol/history.ts` says; null where nothing is known of it. */
export interface HistorySource {
  query(run: string, query: HistoryQuery): Uint8Array<ArrayBuffer> | null;
}

export interface HttpOptions {
  readonly source: BridgeSource;
  readonly access: Access;
  readonly metrics: BridgeMetrics;
  readonly history: HistorySource;
  readonly software: string;
  readonly log: Logger;
  /** Folder of the built page. */
  readonly webFolder: string;
  /** null: the bridge has none of its own. */
  authority(): Authority | null;
  /** The state with every client in it. */
  state(): BridgeState;
}

type Format = 'csv' | 'ecsv' | 'npz' | 'json';

interface Content {
  readonly status: number;
  readonly type: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers one request; never throws. */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const json = (status: number, value: unknown): Content => ({
  status,
  type: 'application/json; charset=utf-8',
  body: `${JSON.stringify(value)}\n`,
});

const problem = (status: number, code: string, message: string): Content =>
  json(status, { error: { code, message } });

const text = (status: number, body: string): Content => ({ status, type: 'text/plain; charset=utf-8', body });

const EXPORTERS: Readonly<
  Record<
    Format,
    {
      readonly type: string;
      readonly encode: (spectrum: ExportedSpectrum, software: string) => string | Uint8Array;
    }
  >
> = {
  csv: { type: 'text/csv; charset=utf-8', encode: exportCsv },
  ecsv: { type: 'text/plain; charset=utf-8', encode: exportEcsv },
  npz: { type: 'application/octet-stream', encode: exportNpz },
  json: { type: 'application/json; charset=utf-8', encode: exportJson },
};

const RUN_PATH = /^\/api\/runs\/([^/]+)\/spectrum\.(csv|ecsv|npz|json)$/;
const FILE_PATH = /^\/api\/runs\/([^/]+)\/files\/(0|[1-9]\d{0,9})\.(csv|json)$/;

const HISTORY_PATH = /^\/api\/runs\/([^/]+)\/history$/;
/** A picture has no use for more rows; at 3072 bins 8 MB. */
const MOST_ROWS = 2048;
const DEFAULT_ROWS = 512;

/** Where clients fetch the authority to import. */
export const AUTHORITY_PATH = '/ca.crt';

/** Files whose names carry a hash of their content. */
const HASHED = /^\/(offline-)?assets\//;
/** The script whose policy says where sockets may go: it must not be older than its bridge's knowledge of others. */
const POLICED = /^\/assets\/worker-/;

export function httpHandler(options: HttpOptions): HttpHandler {
  const page = pageHandler(options.webFolder);
  return async (request, response) => {
    response.setHeaders(new Map(Object.entries(securityHeaders(options.source.peerOrigins()))));
    try {
      const content = refusal(request, options) ?? (await dynamicContent(request, options));
      if (content === null) page(request, response);
      else send(request, response, content);
    } catch (error) {
      // Without its query: whoever wrote the token there by mistake shall not find it in the log.
      options.log.error({ err: error, path: pathOf(request) }, 'request failed');
      if (response.headersSent) response.destroy();
      else send(request, response, problem(500, 'internal', 'the bridge could not answer; its log says why'));
    }
  };
}

function send(request: IncomingMessage, response: ServerResponse, content: Content): void {
  const body = typeof content.body === 'string' ? Buffer.from(content.body) : content.body;
  response.writeHead(content.status, {
    'Content-Type': content.type,
    'Content-Length': body.byteLength,
    'Cache-Control': 'no-store',
    ...content.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** What is wrong with a request whatever it asks for. */
function refusal({ method, headers }: IncomingMessage, { access }: HttpOptions): Content | null {
  if (!access.isOurHost(headers.host))
    return problem(403, 'host', 'this bridge has another name; add yours with --public-url');
  if (method === 'GET' || method === 'HEAD') return null;
  return { ...problem(405, 'method', 'only GET and HEAD'), headers: { Allow: 'GET, HEAD' } };
}

const pathOf = ({ url = '/' }: IncomingMessage): string => url.split('?', 1)[0] as string;

/** Everything that is no file; null for files. */
async function dynamicContent(request: IncomingMessage, options: HttpOptions): Promise<Content | null> {
  const path = pathOf(request);
  if (path === '/healthz') return text(200, 'ok\n');
  if (path === '/readyz') return readiness(options.source);
  if (path === '/metrics') return metrics(options.metrics);
  if (path === '/api/state') return json(200, options.state());
  if (path === AUTHORITY_PATH) return authority(options);
  if (HISTORY_PATH.test(path)) return history(request.url ?? '', options);
  if (path === '/api' || path.startsWith('/api/')) return exported(path, options);
  return null;
}

/** Its certificate only, in the type and under the name by which systems offer to import it. */
function authority(options: HttpOptions): Content {
  const own = options.authority();
  if (own === null) return problem(404, 'unknown', 'this bridge has no certificate authority of its own');
  return {
    status: 200,
    type: 'application/x-x509-ca-cert',
    body: own.certificate,
    headers: { 'Content-Disposition': 'attachment; filename="haloscope-ca.crt"' },
  };
}

function readiness(source: BridgeSource): Content {
  const reasons = source.notReady();
  return json(reasons.length === 0 ? 200 : 503, { ready: reasons.length === 0, reasons });
}

async function metrics({ registry }: BridgeMetrics): Promise<Content> {
  return { status: 200, type: registry.contentType, body: await registry.metrics() };
}

function history(path: string, options: HttpOptions): Content {
  const url = new URL(path, 'http://bridge');
  const run = decodeName(HISTORY_PATH.exec(url.pathname)?.[1] ?? '');
  if (run === null) return problem(404, 'path', 'that is no name of a run');
  const asked = { from: 0, to: 0xffff_ffff, rows: DEFAULT_ROWS };
  for (const [name, written] of url.searchParams) {
    const value = /^\d{1,10}$/.test(written) ? Number(written) : Number.NaN;
    if (!Object.hasOwn(asked, name) || !(value <= 0xffff_ffff))
      return problem(400, 'query', `expected from, to and rows as whole numbers, found ${name}=${written}`);
    asked[name as keyof typeof asked] = value;
  }
  if (asked.from > asked.to || asked.rows < 1 || asked.rows > MOST_ROWS)
    return problem(400, 'query', `expected from ≤ to and 1 to ${MOST_ROWS} rows`);
  const body = options.history.query(run, asked);
  if (body === null) return problem(404, 'unknown', `there is no history of run ${run}`);
  return { status: 200, type: 'application/octet-stream', body };
}

async function exported(path: string, options: HttpOptions): Promise<Content> {
  const asked = parseExportPath(path);
  if (asked === null) return problem(404, 'path', 'there is no such path under /api');
  const { run, file, format } = asked;
  const { source, software } = options;
  const spectrum = await (file === null ? source.runSpectrum(run) : source.fileSpectrum(run, file));
  const what = file === null ? `run ${run}` : `file ${file} of run ${run}`;
  if (spectrum === null || spectrum.moments.count < 1)
    return problem(404, 'unknown', `there is no result of ${what}`);
  const { type, encode } = EXPORTERS[format];
  return {
    status: 200,
    type,
    body: encode(spectrum, software),
    headers: { 'Content-Disposition': `attachment; filename="${exportFileName(spectrum)}.${format}"` },
  };
}

interface ExportPath {
  readonly run: string;
  readonly file: number | null;
  readonly format: Format;
}

function parseExportPath(path: string): ExportPath | null {
  const [, runOfRun, formatOfRun] = RUN_PATH.exec(path) ?? [];
  const [, runOfFile, file, formatOfFile] = FILE_PATH.exec(path) ?? [];
  const run = decodeName(runOfRun ?? runOfFile ?? '');
  const format = formatOfRun ?? formatOfFile;
  if (run === null || format === undefined) return null;
  return { run, file: file === undefined ? null : Number(file), format: format as Format };
}

function decodeName(encoded: string): string | null {
  try {
    const name = decodeURIComponent(encoded);
    return isRunName(name) ? name : null;
  } catch {
    return null;
  }
}

/** A segment that begins with a dot, which may be written as %2e. */
const HIDDEN = /\/(\.|%2e)/i;

/** Whether the path names nothing outside the folder, neither by its letters nor through a link. */
function isWithin(folder: string, path: string): boolean {
  try {
    const file = realpathSync(join(folder, decodeURI(path)));
    const inside = realpathSync(folder);
    return file === inside || file.startsWith(inside + sep);
  } catch {
    // There is no such file, which is said in the same way.
    return false;
  }
}

/**
 * The built page. Read anew at each request (`dev`), so that a build beside a running bridge takes effect as a
 * whole: index.html is never cached, and everything it names carries a hash.
 */
function pageHandler(folder: string): (request: IncomingMessage, response: ServerResponse) => void {
  const serve = sirv(folder, {
    dev: true,
    etag: true,
    setHeaders: (response, path) => {
      if (POLICED.test(path)) response.setHeader('Cache-Control', 'no-store');
      else if (HASHED.test(path)) response.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
    },
  });
  const missing = (request: IncomingMessage, response: ServerResponse): void =>
    send(
      request,
      response,
      existsSync(join(folder, 'index.html'))
        ? text(404, 'There is no such file.\n')
        : text(503, 'The page is not built: run `npm run build`, then reload. The bridge itself works.\n'),
    );
  return (request, response) => {
    // Ranges of a page's files are of no use, and sirv fails on impossible ones.
    delete request.headers.range;
    // A file that vanishes between look and read must end this response, not the bridge.
    response.on('pipe', (file) => file.on('error', () => response.destroy()));
    const path = pathOf(request);
    if (HIDDEN.test(path) || !isWithin(folder, path)) missing(request, response);
    else serve(request, response, () => missing(request, response));
  };
}
