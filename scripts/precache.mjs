/**
 * Which files the service worker of the offline page keeps: those that the page names, those that these name, and so
 * on, each with the hash of its content. Written into the built service worker, so that it changes with any of them.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';

const START = 'offline.html';
const SERVICE_WORKER = 'offline-sw.js';
/** Of the live page, which must never come from a cache. */
const LIVE = 'index.html';
const TEXT = /\.(html|js|css|svg|webmanifest)$/;
const PLACE = /(["'`])__PRECACHE__\1/g;

/**
 * @param {string} folder  Of the built page.
 * @returns {Readonly<Record<string, string>>} path → SHA-256 in hex
 */
export function filesOfOfflinePage(folder) {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => path !== SERVICE_WORKER && path !== LIVE);
  /** @type {Set<string>} */
  const reached = new Set([START]);
  for (const path of reached) {
    if (!TEXT.test(path)) continue;
    const text = readFileSync(join(folder, path), 'utf8');
    for (const other of all) if (text.includes(basename(other))) reached.add(other);
  }
  /** @param {string} path */
  const hash = (path) =>
    createHash('sha256')
      .update(readFileSync(join(folder, path)))
      .digest('hex');
  return Object.fromEntries([...reached].toSorted().map((path) => [path, hash(path)]));
}

/**
 * Writes the list into the service worker.
 * @param {string} folder  Of the built page.
 */
export function writePrecache(folder) {
  const files = filesOfOfflinePage(folder);
  const version = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 16);
  const path = join(folder, SERVICE_WORKER);
  const before = readFileSync(path, 'utf8');
  const after = before.replace(PLACE, () => JSON.stringify({ version, files }));
  if (after === before || /^\s*import\b/m.test(after))
    throw new Error(`${path}: expected one file without imports that has room for its list`);
  writeFileSync(path, after);
}
