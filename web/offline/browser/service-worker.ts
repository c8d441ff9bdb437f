/**
 * The service worker of the offline page, and of nothing else: it keeps one whole version of that page, so that it
 * opens without a network.
 *
 *   scope ./offline   offline.html and the workers in offline-assets/; what these load is answered from here, too.
 *                     The live page lies outside: its files and its bridge never pass through.
 *
 * A version is complete or it is not installed: every file is held against the hash that the build wrote. A new one
 * waits until a person asks for it, and the one before is kept for tabs that still show it.
 *
 * This file imports nothing, since not every browser lets service workers be modules.
 */

/** The parts of `ServiceWorkerGlobalScope` that are used; its types clash with those of the page. */
interface ExtendableEvent extends Event {
  waitUntil(promise: Promise<unknown>): void;
}
interface FetchEvent extends Event {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
interface ServiceWorkerScope {
  readonly registration: { readonly scope: string };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
}

const scope = globalThis as unknown as ServiceWorkerScope;

/** Version, and of each file its path and SHA-256 in hex; written by the build (`scripts/precache.mjs`). */
const { version, files } = '__PRECACHE__' as unknown as {
  readonly version: string;
  readonly files: Readonly<Record<string, string>>;
};

const PAGE = 'offline.html';
/** Names that carry a hash of the content: whatever version asks, the answer is the same. */
const HASHED = /^(offline-)?assets\//;
const base = new URL('./', location.href).href;
/** Caches belong to an origin, on which there may be others, under other paths. */
const ours = `haloscope ${base} `;
const cacheName = ours + version;

scope.addEventListener('install', (event) => event.waitUntil(install()));
scope.addEventListener('activate', (event) => event.waitUntil(forgetOlder()));
scope.addEventListener('message', ({ data }) => {
  if (data === 'activate') void scope.skipWaiting();
});
scope.addEventListener('fetch', (event) => {
  const path = kept(event.request);
  if (path !== null) event.respondWith(answer(path, event.request));
});

/** @throws {Error} where a file is not there, or is of another version; the browser then tries again later */
async function install(): Promise<void> {
  const cache = await caches.open(cacheName);
  try {
    await Promise.all(Object.entries(files).map(([path, hash]) => keep(cache, path, hash)));
  } catch (error) {
    await caches.delete(cacheName);
    throw error;
  }
}

async function keep(cache: Cache, path: string, hash: string): Promise<void> {
  const url = base + path;
  const response = await fetch(url, { cache: 'no-cache' });
  const body = await response.arrayBuffer();
  if (!response.ok || (await sha256(body)) !== hash)
    throw new Error(`${url}: expected the file that belongs to version ${version}, found another one`);
  // Made anew, because an answer that was redirected, as servers do that hide «.html», must not open a page.
  const { status, headers } = response;
  await cache.put(url, new Response(body, { status, headers }));
}

async function sha256(body: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** All but this version and the one before; names come in the order in which they were made. */
async function forgetOlder(): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith(ours));
  await Promise.all(names.slice(0, -2).map((name) => caches.delete(name)));
}

/** The file, relative to the page's folder, that may be answered from here; null for everything else. */
function kept({ method, mode, url }: Request): string | null {
  const [address = ''] = url.split(/[?#]/, 1);
  if (method !== 'GET' || !address.startsWith(base)) return null;
  const path = address.slice(base.length);
  if (mode === 'navigate') return path === PAGE || `${path}.html` === PAGE ? PAGE : null;
  return path in files || HASHED.test(path) ? path : null;
}

async function answer(path: string, request: Request): Promise<Response> {
  const own = await caches.match(base + path, { cacheName });
  // A tab that still shows the version before may load a part of it late.
  const found = own ?? (HASHED.test(path) ? await caches.match(base + path) : undefined);
  return found ?? fetch(request);
}
