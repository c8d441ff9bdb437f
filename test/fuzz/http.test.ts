/** HTTP requests as bytes, against the real server: every one ends, none breaks it, none gets what is not its own. */
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';
import { fuzz } from './fuzz.ts';
import { damaged } from './mutations.ts';
import { exchange, FORBIDDEN, TOKEN, type WildServer, wildServer } from './wild-server.ts';

let server: WildServer;
beforeAll(async () => {
  server = await wildServer();
});
afterAll(() => server.stop());

const UP = [
  '..',
  '%2e%2e',
  '.%2e',
  '%2E.',
  '..%00',
  '....',
  '..;',
  '%252e%252e',
  '%c0%ae%c0%ae',
  '\xc0\xae',
  '．．',
];
const SLASHES = ['/', '//', '%2f', '%5c', '\\', '/./', '%252f'];
const FILES = [
  'web-other/file.txt',
  'file.txt',
  'etc/passwd',
  '.hidden',
  'web/.hidden',
  'index.html',
  'link/file.txt',
  'assets/main-0a1b2c3d.js',
  'proc/self/environ',
];

const path = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('', 'assets', 'link', 'web'),
      fc.array(fc.tuple(fc.constantFrom(...UP), fc.constantFrom(...SLASHES)), { maxLength: 6 }),
      fc.constantFrom(...FILES),
    )
    .map(
      ([start, ups, file]) =>
        `/${start}${start === '' ? '' : '/'}${ups.map(([up, slash]) => up + slash).join('')}${file}`,
    ),
  fc.constantFrom(
    '/',
    '/healthz',
    '/readyz',
    '/metrics',
    '/api/state',
    '/api',
    '/ca.crt',
    '/.hidden',
    '/link',
    '/link/file.txt',
    '*',
    '',
    'http://evil.example/',
    '//evil.example/',
    '/%',
    '/%ff',
    '/\u0000',
  ),
  fc
    .tuple(
      fc.constantFrom('test', '..', '%2e%2e', '__proto__', 'a'.repeat(200), 'test%0d%0aX: y', '%'),
      fc.constantFrom(
        'spectrum.csv',
        'spectrum.npz',
        'spectrum.exe',
        'files/3.json',
        'files/-1.csv',
        'files/99999999999.csv',
        'history',
        'history?rows=5&from=1&to=9',
        'history?rows=99999999999',
        'history?toString=1',
        'history?__proto__=1&rows=%ff',
      ),
    )
    .map(([run, rest]) => `/api/runs/${run}/${rest}`),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

const NAMES = [
  'Origin',
  'Upgrade',
  'Connection',
  'Sec-WebSocket-Key',
  'Sec-WebSocket-Version',
  'Sec-WebSocket-Extensions',
  'Sec-WebSocket-Protocol',
  'Expect',
  'Transfer-Encoding',
  'Content-Length',
  'Range',
  'If-None-Match',
  'If-Modified-Since',
  'Cookie',
  'X-Forwarded-Host',
  'Host',
  'Accept-Encoding',
  'Trailer',
  'TE',
];
const VALUES = [
  'websocket',
  'Upgrade',
  'keep-alive, Upgrade',
  'h2c',
  '13',
  'dGhlIHNhbXBsZSBub25jZQ==',
  'http://evil.example',
  'null',
  '100-continue',
  '200-ok',
  'chunked',
  'gzip, chunked',
  '0',
  '5',
  '-1',
  '99999999999999999999',
  'bytes=0-0',
  'bytes=5-2',
  'bytes=-1,0-',
  '*',
  'permessage-deflate; client_max_window_bits',
  'x'.repeat(9000),
];

const header = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...VALUES)) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.string({ maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 30 })),
  },
);

const host = fc.oneof(
  { weight: 6, arbitrary: fc.constant('OURS') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'evil.example',
      '',
      '127.0.0.1@evil.example',
      '127.0.0.1:1:2',
      '[::1',
      'localhost.evil.example',
      '127.0.0.1\u0000',
    ),
  },
);

const request = fc
  .record({
    method: fc.oneof(
      { weight: 6, arbitrary: fc.constant('GET') },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          'HEAD',
          'POST',
          'PUT',
          'DELETE',
          'OPTIONS',
          'TRACE',
          'CONNECT',
          'PRI',
          'get',
          '',
        ),
      },
    ),
    path,
    version: fc.oneof(
      { weight: 6, arbitrary: fc.constant('HTTP/1.1') },
      { weight: 1, arbitrary: fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'RTSP/1.0', '') },
    ),
    host: fc.option(host, { freq: 12 }),
    headers: fc.array(header, { maxLength: 4 }),
    body: fc.constantFrom(
      '',
      '',
      'hello',
      '5\r\nhello\r\n0\r\n\r\n',
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n',
    ),
    end: fc.constantFrom('\r\n', '\r\n', '\r\n', '\n'),
  })
  .map(({ method, path: target, version, host: named, headers, body, end }) => {
    const all = [...(named === null ? [] : [['Host', named] as const]), ...headers];
    return Buffer.from(
      [`${method} ${target} ${version}`, ...all.map(([name, value]) => `${name}: ${value}`), '', body].join(
        end,
      ),
      'latin1',
    );
  });

/** Whole, or damaged; at once, or in two pieces. As text, one letter a byte, to be read when it fails. */
const sent = fc.tuple(
  fc
    .oneof({ weight: 2, arbitrary: request }, { weight: 1, arbitrary: damaged(request) })
    .map((bytes) => bytes.toString('latin1')),
  fc.option(fc.nat(200), { freq: 4 }),
);

/** What a server of ours may say. */
const STATUSES = new Set([101, 200, 304, 400, 403, 404, 405, 408, 426, 431]);

/** Behind a whole request, so that the server closes when it has answered that. */
const goodbye = (): string =>
  `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nConnection: close\r\n\r\n`;

fuzz('HTTP requests', sent, async ([letters, split]) => {
  const ours = Buffer.from(letters.replace(/(Host: )OURS/i, `$1127.0.0.1:${server.port}`), 'latin1');
  const pieces = split === null ? [ours] : [ours.subarray(0, split), ours.subarray(split)];
  // 100 is no answer yet, RFC 9110 §15.2.1.
  const answer = (await exchange(server.port, [...pieces, goodbye()], 'when quiet'))
    .toString('latin1')
    .replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
  expect(answer).not.toContain(FORBIDDEN);
  expect(answer).not.toContain(TOKEN);
  expect(answer).not.toContain(server.folder);
  expect(answer).not.toContain('root:');
  expect(answer).not.toMatch(/\n\s+at .*:\d+:\d+/);
  if (answer === '') return;
  const [, status, head = ''] = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n([^]*?)\r\n\r\n/.exec(answer) ?? [];
  expect([status, STATUSES.has(Number(status))]).toEqual([status, true]);
  expect(head).not.toMatch(/^access-control-allow-origin/im);
  if (status === '101') return;
  expect(head).toContain("Content-Security-Policy: default-src 'none'");
  expect(head).toMatch(/^X-Content-Type-Options: nosniff$/im);
  if (status === '200') return;
  // Nothing that was sent comes back as a page.
  expect(head).not.toMatch(/^Content-Type: text\/html/im);
});
