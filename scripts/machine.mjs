/**
 * What this machine has: programs by name, and where they lie. Plain JavaScript, because it also runs before
 * anything is installed or built.
 */
import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');

/** Names under which Chromium and its relatives are installed, the plain one first. */
const CHROMIUM_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const CHROMIUM_FILES = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const FIREFOX_FILES = ['/Applications/Firefox.app/Contents/MacOS/firefox'];
/** Where Chromium's own libraries lie when the program in the path is only a script that starts it. */
const CHROMIUM_LIBRARY_FOLDERS = ['/usr/lib/chromium', '/usr/lib64/chromium', '/usr/lib/chromium-browser'];

/**
 * @param {string} path
 * @returns {boolean}
 */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * The first program of these names in PATH.
 * @param {...string} names
 * @returns {string | undefined}
 */
export function findProgram(...names) {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name);
      if (isProgram(path)) return path;
    }
  }
  return undefined;
}

/**
 * The browser of the tests: `CHROMIUM` in the environment, else what the system has.
 * @returns {string | undefined}
 */
export function findChromium() {
  const given = process.env['CHROMIUM'];
  if (given !== undefined && given !== '') return isProgram(given) ? given : undefined;
  return findProgram(...CHROMIUM_NAMES) ?? CHROMIUM_FILES.find(isProgram);
}

/**
 * The other browser of the tests: `FIREFOX` in the environment, else what the system has.
 * @returns {string | undefined}
 */
export function findFirefox() {
  const given = process.env['FIREFOX'];
  if (given !== undefined && given !== '') return isProgram(given) ? given : undefined;
  return findProgram('firefox-esr', 'firefox') ?? FIREFOX_FILES.find(isProgram);
}

/**
 * Java's launcher: `JAVA_HOME` first, as every Java tool does.
 * @returns {string | undefined}
 */
export function findJava() {
  const home = process.env['JAVA_HOME'];
  const own = home === undefined || home === '' ? undefined : join(home, 'bin', 'java');
  return own !== undefined && isProgram(own) ? own : findProgram('java');
}

/** @returns {string | undefined} */
export const findMaven = () => findProgram('mvn');

/**
 * Writes the database by which Chromium trusts authorities on Linux.
 * @returns {string | undefined}
 */
export const findCertutil = () => findProgram('certutil');

/** @returns {string | undefined} */
export const findPython = () => findProgram('python3');

/**
 * Environment in which Dawn for Node finds a Vulkan driver on a machine without a GPU: Chromium ships the
 * software adapter SwiftShader, and the loader for it. Empty where Chromium has none: then the system's own
 * driver decides.
 * @returns {Record<string, string>}
 */
export function softwareAdapterEnvironment() {
  const chromium = findChromium();
  if (chromium === undefined) return {};
  for (const folder of [dirname(realpathSync(chromium)), ...CHROMIUM_LIBRARY_FOLDERS]) {
    const driver = join(folder, 'vk_swiftshader_icd.json');
    if (existsSync(driver)) return { LD_LIBRARY_PATH: folder, VK_ICD_FILENAMES: driver };
  }
  return {};
}
