/**
 * Headers of every response: nothing is loaded from elsewhere, nothing may embed or read us.
 *
 * Workers take their policy from the headers of their own script, so it goes with every file. WebAssembly needs
 * `wasm-unsafe-eval`. Sockets go to this bridge and to those that share its input; pictures made in the page are `blob:` and `data:`.
 */
import { STATUS_CODES } from 'node:http';

/** A host may hold a `;`, by which a peer could write further directives. */
const PLAIN_ORIGIN = /^https?:\/\/[\w.:[\]-]+$/;

const contentSecurityPolicy = (peers: readonly string[]): string =>
  [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "font-src 'self'",
    ["connect-src 'self'", ...peers].join(' '),
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/** @param peerOrigins `https:` or `http:` ones of bridges to which the page may move over */
export const securityHeaders = (peerOrigins: Iterable<string>): Readonly<Record<string, string>> => ({
  'Content-Security-Policy': contentSecurityPolicy(
    [...peerOrigins]
      .filter((origin) => PLAIN_ORIGIN.test(origin))
      .map((origin) => origin.replace(/^http/, 'ws')),
  ),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
});

/**
 * A whole answer as bytes on the wire, for where there is no `ServerResponse`: before HTTP has been understood, or
 * instead of a socket. The connection ends with it.
 */
export function bareResponse(
  status: number,
  body = '',
  headers: Readonly<Record<string, string>> = {},
): string {
  const all = {
    ...securityHeaders([]),
    ...headers,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    'Cache-Control': 'no-store',
    Connection: 'close',
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`;
}
