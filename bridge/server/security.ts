/**
 * Headers of every response: nothing is loaded from elsewhere, nothing may embed or read us.
 *
 * Workers take their policy from the headers of their own script, so it goes with every file. WebAssembly needs
 * `wasm-unsafe-eval`. Sockets go to this bridge and to those that share its input; pictures made in the page are `blob:` and `data:`.
 */
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
    [...peerOrigins].map((origin) => origin.replace(/^http/, 'ws')),
  ),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
});
