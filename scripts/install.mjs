/**
 * Brings npm packages and the build up to date, when they are not. Both leave a stamp with a checksum of what they
 * were made from, because times of files say nothing after a clone.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repository } from './machine.mjs';

/** What the packages follow from. */
const PACKAGE_SOURCES = ['package.json', 'package-lock.json', '.npmrc'];
/** What the build follows from. */
const BUILD_SOURCES = [
  ...PACKAGE_SOURCES,
  'vite.config.ts',
  'tsconfig.json',
  'bridge',
  'web',
  'shaders',
  'public',
];

const PACKAGES_STAMP = join(repository, 'node_modules', '.haloscope-stamp');
const BUILD_STAMP = join(repository, 'dist', '.stamp');

/**
 * Ends this process with one line that says what is wrong.
 * @param {string} message
 * @returns {never}
 */
export function giveUp(message) {
  console.error(`haloscope: ${message}`);
  process.exit(1);
}

/** Ends this process when Node is older than package.json asks for. */
export function requireNode() {
  const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'));
  const wanted = String(manifest.engines.node).replace(/^>=/, '');
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [needMajor = 0, needMinor = 0] = wanted.split('.').map(Number);
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return;
  giveUp(`this is Node ${process.versions.node}, and ${wanted} or newer is needed: see https://nodejs.org`);
}

/** Installs npm packages when there are none, or when they are not those of the lock file. */
export function ensurePackages() {
  const wanted = checksum(PACKAGE_SOURCES);
  if (readStamp(PACKAGES_STAMP) === wanted) return;
  // Not `npm ci`: it refuses a lock file that lacks another platform's optional binaries. This follows the lock
  // file as well, and does not write to it.
  npm('npm packages could not be installed', 'install', '--no-save');
  writeFileSync(PACKAGES_STAMP, wanted);
}

/** Builds page and commands when a source has changed since they were built. Needs the packages. */
export function ensureBuild() {
  const wanted = checksum(BUILD_SOURCES);
  if (readStamp(BUILD_STAMP) === wanted) return;
  npm('the build failed', 'run', '--silent', 'build');
  mkdirSync(dirname(BUILD_STAMP), { recursive: true });
  writeFileSync(BUILD_STAMP, wanted);
}

/**
 * Runs npm. Its words go to standard error: standard output belongs to the command that asked for it.
 * @param {string} complaint
 * @param {...string} words
 */
function npm(complaint, ...words) {
  const program = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status, error } = spawnSync(program, words, {
    cwd: repository,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0)
    giveUp(`${complaint}: npm ${words.join(' ')} ${error?.message ?? `ended with ${status}`}`);
}

/** @param {string} path */
const readStamp = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);

/**
 * Checksum over names and contents of files and folders of the repository.
 * @param {readonly string[]} sources
 */
function checksum(sources) {
  const hash = createHash('sha256');
  for (const source of sources) {
    for (const file of filesIn(source))
      hash
        .update(`${file}\0`)
        .update(readFileSync(join(repository, file)))
        .update('\0');
  }
  return hash.digest('hex');
}

/**
 * @param {string} source  File or folder, relative to the repository; one that is missing has no files.
 * @returns {string[]}
 */
function filesIn(source) {
  const path = join(repository, source);
  if (!existsSync(path)) return [];
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.flatMap((entry) => filesIn(join(source, entry.name))).toSorted();
  } catch {
    return [source];
  }
}
