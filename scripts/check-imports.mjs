/**
 * Import directions: which folder may import from which, and which package is used in one place only. The rules
 * are the table of ARCHITECTURE.md, checked on every import of every source file.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { repository } from './machine.mjs';

/**
 * @typedef {object} Rule
 * @property {string} folder  Files to which the rule applies; the longest matching folder wins.
 * @property {readonly string[]} may  Folders of ours from which they may import, besides their own.
 * @property {readonly string[]} [mayTypes]  Folders from which they may import types.
 * @property {boolean} [node]  Whether they may use Node's own modules; decided by the file's name where absent.
 */

/** @type {readonly Rule[]} */
const RULES = [
  { folder: 'bridge/protocol', may: [], node: false },
  { folder: 'shaders', may: [], node: false },
  {
    folder: 'bridge/commands',
    may: ['bridge', 'web/engine', 'web/worker', 'web/analysis', 'web/offline'],
    node: true,
  },
  { folder: 'bridge', may: [], node: true },
  { folder: 'web/engine', may: ['shaders', 'bridge/protocol'] },
  { folder: 'web/worker', may: ['web/engine', 'web/analysis', 'web/offline', 'bridge/protocol'] },
  { folder: 'web/offline', may: ['web/engine', 'bridge/protocol'], node: false },
  { folder: 'web/analysis', may: ['bridge/protocol'], node: false },
  { folder: 'web/main.ts', may: ['web/page.tsx'], node: false },
  { folder: 'web/page.tsx', may: ['web/ui'], mayTypes: ['web/worker'], node: false },
  { folder: 'web/offline-main.tsx', may: ['web/ui'], mayTypes: ['web/worker'], node: false },
  {
    folder: 'web/ui/offline',
    may: ['web/ui', 'web/analysis', 'web/offline/browser', 'bridge/protocol'],
    mayTypes: ['web/worker', 'web/engine'],
    node: false,
  },
  {
    folder: 'web/ui',
    may: ['web/analysis', 'bridge/protocol'],
    mayTypes: ['web/worker', 'web/engine/engine.ts', 'web/offline/browser'],
    node: false,
  },
];
/** Below `bridge`, only the commands know of the wiring. */
const ONLY_FROM_COMMANDS = 'bridge/commands';
const FOLDERS = ['bridge', 'web', 'shaders'];

/** Packages that are kept behind one door: package → the only folder that imports it. */
const DOORS = new Map([
  ['kafkajs', 'bridge/log/kafka'],
  ['lmdb', 'bridge'],
  ['@node-rs/crc32', 'bridge/log/kafka'],
  ['ws', 'bridge'],
  ['uplot', 'web/ui'],
  ['comlink', 'web'],
  ['preact', 'web/ui'],
  ['commander', 'bridge'],
  ['prom-client', 'bridge'],
  ['hash-wasm', 'web/offline'],
  ['pkijs', 'bridge/server/tls'],
  ['asn1js', 'bridge/server/tls'],
]);

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s+(type\s)?[^'"`;]*?from\s*'([^']+)'|(?:^|\n)\s*import\s*'([^']+)'|\bimport\(\s*'([^']+)'/g;

/**
 * @param {string} path
 * @param {string} folder
 */
const isIn = (path, folder) => path === folder || path.startsWith(`${folder}/`);

/**
 * @param {string} file
 * @returns {Rule | undefined}
 */
const ruleFor = (file) =>
  RULES.filter((rule) => isIn(file, rule.folder)).toSorted((a, b) => b.folder.length - a.folder.length)[0];

/**
 * Why this import is against the rules; undefined when it is not.
 * @param {string} file  Importing file, relative to the repository.
 * @param {string} target  As written in the import.
 * @param {boolean} typesOnly
 * @returns {string | undefined}
 */
function objection(file, target, typesOnly) {
  const rule = ruleFor(file);
  if (rule === undefined)
    return 'no rule says what this folder may import: add one to scripts/check-imports.mjs';
  if (target.startsWith('node:')) {
    const allowed = rule.node ?? /(^|[-./])node([-./]|$)/.test(file);
    return allowed || typesOnly ? undefined : "Node's modules are not for files that also run in a browser";
  }
  if (!target.startsWith('.')) return objectionToPackage(file, target);
  const path = posix.normalize(posix.join(posix.dirname(file), target)).replace(/\?.*$/, '');
  if (isIn(path, ONLY_FROM_COMMANDS) && !isIn(file, ONLY_FROM_COMMANDS))
    return 'commands are imported by nothing';
  const allowed = [rule.folder, ...rule.may, ...(typesOnly ? (rule.mayTypes ?? []) : [])];
  if (allowed.some((folder) => isIn(path, folder))) return undefined;
  return `${rule.folder} may import only from ${allowed.join(', ')}`;
}

/**
 * @param {string} file
 * @param {string} target
 */
function objectionToPackage(file, target) {
  const name = target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
  const door = DOORS.get(name);
  return door === undefined || isIn(file, door) ? undefined : `${name} is imported from ${door} only`;
}

function main() {
  let imports = 0;
  /** @type {string[]} */
  const objections = [];
  for (const folder of FOLDERS) {
    for (const entry of readdirSync(join(repository, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.tsx?$/.test(entry.name)) continue;
      const path = join(entry.parentPath, entry.name);
      const file = relative(repository, path).split(sep).join('/');
      for (const match of readFileSync(path, 'utf8').matchAll(IMPORT)) {
        const target = match[2] ?? match[3] ?? match[4] ?? '';
        const reason = objection(file, target, match[1] !== undefined);
        imports++;
        if (reason !== undefined) objections.push(`${file}: imports '${target}': ${reason}`);
      }
    }
  }
  for (const line of objections) console.error(line);
  if (imports === 0) throw new Error(`no import found below ${repository}: the check itself is broken`);
  console.log(`import directions: ${imports} imports, ${objections.length} against the rules`);
  process.exitCode = objections.length === 0 ? 0 : 1;
}

main();
