/**
 * Programs that npm cannot bring (browsers and their certificates' tool, Java, Maven, Python), through the system's package manager where this user
 * may use it; otherwise the exact command for somebody who may.
 */
import { spawnSync } from 'node:child_process';
import { giveUp } from './install.mjs';
import { findProgram } from './machine.mjs';

/** @typedef {'Chromium' | 'Firefox' | 'certutil' | 'a Java runtime' | 'Maven' | 'Python'} Thing */

/**
 * @typedef {object} PackageManager
 * @property {string} program
 * @property {readonly string[]} [refresh]  Words that bring its lists up to date.
 * @property {readonly string[]} install  Words before the package's name.
 * @property {boolean} asRoot
 * @property {Readonly<Record<Thing, string>>} packages
 */

/** @type {readonly PackageManager[]} */
const MANAGERS = [
  {
    program: 'apt-get',
    refresh: ['update', '-q'],
    install: ['install', '-y', '-q', '--no-install-recommends'],
    asRoot: true,
    packages: {
      Chromium: 'chromium',
      Firefox: 'firefox-esr',
      certutil: 'libnss3-tools',
      'a Java runtime': 'default-jre-headless',
      Maven: 'maven',
      // Brings python3; without it no virtual environment can be made.
      Python: 'python3-venv',
    },
  },
  {
    program: 'dnf',
    install: ['install', '-y', '-q'],
    asRoot: true,
    packages: {
      Chromium: 'chromium',
      Firefox: 'firefox',
      certutil: 'nss-tools',
      'a Java runtime': 'java-21-openjdk-headless',
      Maven: 'maven',
      Python: 'python3',
    },
  },
  {
    program: 'brew',
    install: ['install'],
    asRoot: false,
    packages: {
      Chromium: 'chromium',
      Firefox: 'firefox',
      certutil: 'nss',
      'a Java runtime': 'openjdk',
      Maven: 'maven',
      Python: 'python',
    },
  },
];

/**
 * Returns when the program is there; ends this process, saying what to install, when it cannot be had.
 * @param {Thing} thing
 * @param {() => string | undefined} find
 */
export function ensureProgram(thing, find) {
  if (find() !== undefined) return;
  const manager = MANAGERS.find(({ program }) => findProgram(program) !== undefined);
  if (manager === undefined)
    giveUp(`the tests need ${thing}, and it is not in PATH: install it, then run again`);
  const command = [...manager.install, manager.packages[thing]];
  console.log(`installing ${thing}: ${manager.program} ${command.join(' ')}`);
  const done = (manager.refresh === undefined || run(manager, manager.refresh)) && run(manager, command);
  if (done && find() !== undefined) return;
  const byHand = [...(manager.asRoot ? ['sudo'] : []), manager.program, ...command].join(' ');
  giveUp(`the tests need ${thing}, which could not be installed from here. Do it with: ${byHand}`);
}

/**
 * @param {PackageManager} manager
 * @param {readonly string[]} words
 * @returns {boolean}
 */
function run(manager, words) {
  const isRoot = process.getuid?.() === 0;
  const command = [...(manager.asRoot && !isRoot ? ['sudo', '-n'] : []), manager.program, ...words];
  const { status } = spawnSync(command[0] ?? '', command.slice(1), {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return status === 0;
}
