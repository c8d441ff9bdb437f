import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { exportCsv, exportEcsv, exportJson, exportNpz } from '../../bridge/protocol/exports.ts';
import { encodeHistory, type HistoryQuery } from '../../bridge/protocol/history.ts';
import { addBlock } from '../../bridge/protocol/moments.ts';
import { ServerError, startServer } from '../../bridge/server/server.ts';
import { Secret } from '../../bridge/config/secret.ts';
import { BridgeMetrics } from '../../bridge/metrics.ts';
import { anyMoments, get, serve, silent, temporaryFolder } from './harness.ts';
import { sampleState, TestSource } from './source.ts';

/** Sends what is no request of Node's, and reads to the end. */
function raw(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.end(request));
    socket.on('data', (data) => {
      answer += data.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

const asJson = (body: Buffer): unknown => JSON.parse(body.toString());

function builtPage(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>haloscope</title>');
  writeFileSync(join(folder, 'assets', 'main-0a1b2c3d.js'), 'export {};');
  writeFileSync(join(folder, '.secret'), 'hidden');
  return folder;
}

test('healthz lives, readyz says why not', async () => {
  const source = new TestSource();
  const { port } = await serve(source);
  expect(await get(port, '/healthz')).toMatchObject({ status: 200 });
  const ready = await get(port, '/readyz');
  expect([ready.status, asJson(ready.body)]).toEqual([200, { ready: true, reasons: [] }]);
  source.reasons = ['no broker answers at kafka:9092; trying again'];
  const not = await get(port, '/readyz');
  expect([not.status, asJson(not.body)]).toEqual([503, { ready: false, reasons: source.reasons }]);
  expect((await get(port, '/healthz')).status).toBe(200);
});

test('metrics have their public names', async () => {
  const { port, metrics } = await serve(new TestSource());
  metrics.filePublished(0.05);
  metrics.published(0.01);
  metrics.fileIncomplete();
  metrics.slicesReceived(40);
  metrics.slicesRejected('checksum', 20);
  const { status, headers, body } = await get(port, '/metrics');
  expect(status).toBe(200);
  expect(headers['content-type']).toContain('text/plain');
  const lines = body.toString().split('\n');
  for (const line of [
    'haloscope_files_published_total 1',
    'haloscope_files_incomplete_total 1',
    'haloscope_slices_received_total 40',
    'haloscope_slices_rejected_total{reason="checksum"} 20',
    'haloscope_last_slice_to_result_seconds_count 1',
    'haloscope_last_slice_to_result_seconds_bucket{le="0.05"} 1',
    'haloscope_publish_seconds_count 1',
    '# TYPE haloscope_clients gauge',
  ])
    expect(lines).toContain(line);
  // Prometheus reads NaN in any case of letters.
  expect(lines.some((line) => /^haloscope_input_lag_files nan$/i.test(line))).toBe(true);
  expect(lines.some((line) => line.startsWith('process_cpu_seconds_total '))).toBe(true);
  metrics.setLag(3);
  expect((await get(port, '/metrics')).body.toString()).toContain('haloscope_input_lag_files 3\n');
});

test('the state is the source’s', async () => {
  const { port } = await serve(new TestSource());
  const { status, headers, body } = await get(port, '/api/state');
  expect([status, headers['content-type'], headers['cache-control']]).toEqual([
    200,
    'application/json; charset=utf-8',
    'no-store',
  ]);
  expect(asJson(body)).toEqual(sampleState());
});

test('exports are those of the pure functions, of the run and of one file', async () => {
  const source = new TestSource();
  addBlock(source.total, anyMoments(5));
  const { port } = await serve(source);
  const run = await source.runSpectrum('test');
  const file = await source.fileSpectrum('test', 3);
  if (run === null || file === null) throw new Error('the source has both');
  for (const [path, body, name] of [
    ['spectrum.csv', exportCsv(run), 'haloscope_test_run.csv'],
    ['spectrum.ecsv', exportEcsv(run, 'haloscope test'), 'haloscope_test_run.ecsv'],
    ['spectrum.json', exportJson(run, 'haloscope test'), 'haloscope_test_run.json'],
    ['spectrum.npz', exportNpz(run, 'haloscope test'), 'haloscope_test_run.npz'],
    ['files/3.csv', exportCsv(file), 'haloscope_test_file3.csv'],
    ['files/3.json', exportJson(file, 'haloscope test'), 'haloscope_test_file3.json'],
  ] as const) {
    const found = await get(port, `/api/runs/test/${path}`);
    expect(found.status, path).toBe(200);
    expect(found.body.equals(Buffer.from(body as string)), path).toBe(true);
    expect(found.headers['content-disposition']).toBe(`attachment; filename="${name}"`);
  }
});

test.each([
  ['/api', 404],
  ['/api/', 404],
  ['/api/nothing', 404],
  ['/api/runs/test', 404],
  ['/api/runs/test/spectrum.exe', 404],
  ['/api/runs/test/files/03.csv', 404],
  ['/api/runs/test/files/-1.csv', 404],
  ['/api/runs/test/files/3.npz', 404],
  ['/api/runs/..%2f..%2fetc/spectrum.csv', 404],
  ['/api/runs/%ff/spectrum.csv', 404],
  ['/api/runs/other/spectrum.csv', 404],
  ['/api/runs/test~2/files/4.csv', 404],
  ['/api/runs/test/spectrum.csv', 404],
])('%s is %i, as JSON', async (path, status) => {
  const { port } = await serve(new TestSource());
  const found = await get(port, path);
  expect(found.status).toBe(status);
  expect(asJson(found.body)).toMatchObject({ error: { code: expect.stringMatching(/^(path|unknown)$/) } });
});

test('nothing but GET and HEAD', async () => {
  const { port } = await serve(new TestSource());
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const found = await get(port, '/api/state', {}, method);
    expect([found.status, found.headers.allow]).toEqual([405, 'GET, HEAD']);
  }
  const head = await get(port, '/api/state', {}, 'HEAD');
  expect([head.status, head.body.length]).toEqual([200, 0]);
  expect(Number(head.headers['content-length'])).toBeGreaterThan(100);
});

test('only under its own names', async () => {
  const { port } = await serve(new TestSource(), { publicOrigins: ['https://daq.example.org'] });
  for (const host of ['evil.example', `evil.example:${port}`, '10.0.0.1', 'a b', 'localhost.evil.example'])
    for (const path of ['/', '/api/state', '/metrics', '/healthz'])
      expect((await get(port, path, { host })).status, `${host}${path}`).toBe(403);
  for (const host of [`127.0.0.1:${port}`, 'localhost', 'LOCALHOST:9', `[::1]:${port}`, 'daq.example.org'])
    expect((await get(port, '/healthz', { host })).status, host).toBe(200);
});

test('every response has the headers that keep others out', async () => {
  const { port } = await serve(new TestSource(), { webFolder: builtPage() });
  for (const path of [
    '/',
    '/assets/main-0a1b2c3d.js',
    '/nothing',
    '/api/state',
    '/api/nothing',
    '/metrics',
  ]) {
    const { headers } = await get(port, path);
    expect(headers, path).toMatchObject({
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    const policy = headers['content-security-policy'];
    expect(policy).toContain("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self';");
    expect(policy).not.toContain("'unsafe-inline'");
    expect(headers['access-control-allow-origin']).toBeUndefined();
  }
});

test('what is no HTTP, has no Host or is no socket of ours gets those headers too', async () => {
  const { port } = await serve(new TestSource(), { webFolder: builtPage() });
  const host = `Host: 127.0.0.1:${port}\r\n`;
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
  for (const [request, status] of [
    ['rubbish\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\n${host}X: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['GET / HTTP/1.1\r\n\r\n', 403],
    [`GET /nowhere HTTP/1.1\r\n${host}${upgrade}\r\n`, 404],
    [`GET /ws/view HTTP/1.1\r\n${host}${upgrade}Origin: http://evil.example\r\n\r\n`, 403],
    [`GET /healthz HTTP/1.1\r\n${host}Expect: wonders\r\nConnection: close\r\n\r\n`, 200],
  ] as const) {
    const answer = await raw(port, request);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain("Content-Security-Policy: default-src 'none'");
    expect(answer).toContain('X-Content-Type-Options: nosniff');
    expect(answer).toContain('Cross-Origin-Resource-Policy: same-origin');
  }
});

test('a link in the folder of the page leads nowhere outside it', async () => {
  const folder = builtPage();
  const other = temporaryFolder();
  writeFileSync(join(other, 'token'), 'secret');
  symlinkSync(join(other, 'token'), join(folder, 'token'));
  symlinkSync(other, join(folder, 'assets', 'data'));
  const { port } = await serve(new TestSource(), { webFolder: folder });
  for (const path of ['/token', '/assets/data/token', '/assets/data/../data/token'])
    expect((await get(port, path)).status, path).toBe(404);
});

test('the page comes with its caches: what has a hash for ever, the rest never', async () => {
  const { port } = await serve(new TestSource(), { webFolder: builtPage() });
  const page = await get(port, '/?kiosk');
  expect([page.status, page.headers['content-type'], page.headers['cache-control']]).toEqual([
    200,
    'text/html;charset=utf-8',
    'no-cache',
  ]);
  expect((await get(port, '/', { 'if-none-match': page.headers.etag ?? '' })).status).toBe(304);
  const script = await get(port, '/assets/main-0a1b2c3d.js');
  expect([script.status, script.headers['content-type'], script.headers['cache-control']]).toEqual([
    200,
    'text/javascript',
    'public, max-age=31536000, immutable',
  ]);
});

test('no listing, no hidden file, no way out of the folder, no crash', async () => {
  const { port } = await serve(new TestSource(), { webFolder: builtPage() });
  for (const path of [
    '/assets',
    '/assets/',
    '/../../../../etc/passwd',
    '/..%2f..%2fetc/passwd',
    '/%',
    '/a\\..',
  ])
    expect((await get(port, path)).status, path).toBe(404);
  for (const path of ['/.secret', '/%2Esecret', '/assets/../.secret'])
    expect((await get(port, path)).status, path).toBe(404);
  for (const range of ['bytes=5-2', 'bytes=999999-', 'bytes=-1', 'lines=1-2'])
    expect((await get(port, '/', { range })).status, range).toBe(200);
  expect((await get(port, '/healthz')).status).toBe(200);
});

test('a page that is not built is said to be so', async () => {
  const { port } = await serve(new TestSource());
  const found = await get(port, '/');
  expect(found.status).toBe(503);
  expect(found.body.toString()).toContain('npm run build');
});

test('a source that fails costs one answer', async () => {
  const source = new TestSource();
  source.runSpectrum = () => Promise.reject(new Error('disk on fire'));
  const { port } = await serve(source);
  const found = await get(port, '/api/runs/test/spectrum.csv');
  expect(found.status).toBe(500);
  expect(found.body.toString()).not.toContain('fire');
  expect((await get(port, '/healthz')).status).toBe(200);
});

test('a port that is taken, or an address of another machine, is one clear line', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const listen = async (host: string, wanted: number): Promise<unknown> => {
    const options = {
      listen: { host, port: wanted },
      publicOrigins: [],
      tls: null,
      token: new Secret('x'),
      trustLocalPages: true,
      webFolder: '/nowhere',
      software: 'test',
      metrics: new BridgeMetrics(),
      history: { query: () => null },
      log: silent,
    };
    return startServer(new TestSource(), options).catch((error: unknown) => error);
  };
  const taken = await listen('127.0.0.1', port);
  expect(taken).toBeInstanceOf(ServerError);
  expect(taken).toMatchObject({ code: 'port-taken' });
  expect((taken as Error).message).toContain(`127.0.0.1:${port} is taken`);
  expect((taken as Error).message).not.toContain('\n');
  expect(await listen('192.0.2.1', 0)).toMatchObject({ code: 'no-such-address' });
});

test('history: what is asked is checked, and the rows come as they are', async () => {
  const asked: unknown[] = [];
  const rows = encodeHistory(256, 4, []);
  const history = {
    query: (run: string, query: HistoryQuery) => {
      asked.push([run, query]);
      return run === 'run404~2' ? rows : null;
    },
  };
  const { port } = await serve(new TestSource(), { history });
  const path = (run: string, words = ''): string => `/api/runs/${run}/history${words}`;
  const whole = await get(port, path('run404~2'));
  expect([whole.status, whole.headers['content-type']]).toEqual([200, 'application/octet-stream']);
  expect(whole.body.equals(rows)).toBe(true);
  await get(port, path('run404~2', '?from=7&to=99&rows=10'));
  expect(asked).toEqual([
    ['run404~2', { from: 0, to: 0xffff_ffff, rows: 512 }],
    ['run404~2', { from: 7, to: 99, rows: 10 }],
  ]);
  expect((await get(port, path('other'))).status).toBe(404);
  for (const words of [
    '?rows=0',
    '?rows=4096',
    '?from=9&to=8',
    '?from=-1',
    '?to=1e3',
    '?colums=3',
    '?from=',
    '?toString=1',
  ])
    expect((await get(port, path('run404~2', words))).status, words).toBe(400);
});

test('sockets may go to the bridges that share the input as well, and to no others', async () => {
  const source = new TestSource();
  source.origins.add('https://daq2.example.org:8080');
  const { port } = await serve(source);
  const { headers } = await get(port, '/');
  expect(headers['content-security-policy']).toContain("connect-src 'self' wss://daq2.example.org:8080;");
});
