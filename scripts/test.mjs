/**
 * `npm test`: provides what the tests need (packages, a browser, Java, Maven, Kafka's jars, a build), runs them,
 * and closes with one line, `N passed, N failed`. What could not run counts as failed: a skipped test, a test
 * file that did not load, a machine without a browser. Arguments choose projects: `npm test -- unit broker`.
 * `npm run test:faults` is the long list of failures, which runs only when it is named.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuild, ensurePackages, requireNode } from './install.mjs';
import {
  findCertutil,
  findChromium,
  findFirefox,
  findJava,
  findMaven,
  findPython,
  repository,
} from './machine.mjs';
import { ensureProgram } from './system-packages.mjs';

/** In the order in which they run: the fast ones first. */
const PROJECTS = ['unit', 'fuzz', 'gpu', 'broker', 'e2e', 'pictures', 'soak'];
/** Type is drawn by FreeType there, and by something else elsewhere. */
const ON_LINUX = ['pictures'];
/** Only when named: these take half an hour. */
const NAMED_PROJECTS = ['faults'];
/** What beyond Node each project needs. */
const NEEDS = {
  chromium: ['gpu', 'e2e', 'pictures', 'soak', 'faults'],
  firefox: ['e2e'],
  certutil: ['e2e'],
  kafka: ['broker', 'e2e', 'soak', 'faults'],
  python: ['e2e'],
  build: ['unit', 'gpu', 'broker', 'e2e', 'pictures', 'soak', 'faults'],
};

const REPORTS = join(repository, 'test-results');

/** @param {readonly string[]} projects */
function provide(projects) {
  /** @param {readonly string[]} users */
  const needed = (users) => projects.some((project) => users.includes(project));
  if (needed(NEEDS.chromium)) ensureProgram('Chromium', findChromium);
  if (needed(NEEDS.firefox)) ensureProgram('Firefox', findFirefox);
  if (needed(NEEDS.certutil)) ensureProgram('certutil', findCertutil);
  if (needed(NEEDS.kafka)) {
    ensureProgram('a Java runtime', findJava);
    ensureProgram('Maven', findMaven);
  }
  if (needed(NEEDS.python)) ensureProgram('Python', findPython);
  if (needed(NEEDS.build)) ensureBuild();
}

/**
 * Runs one project.
 * @param {string} project
 * @returns {{ passed: number, complaints: string[] }} complaints: one for each test that did not pass
 */
function runProject(project) {
  const report = join(REPORTS, `${project}.json`);
  rmSync(report, { force: true });
  const vitest = join(repository, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--project', project, ...reporters], {
    cwd: repository,
    stdio: 'inherit',
  });
  const counted = existsSync(report)
    ? count(JSON.parse(readFileSync(report, 'utf8')))
    : { passed: 0, complaints: [] };
  // A run can fail beside its tests: no test found, a broker that did not start, an error after a test's end.
  if (status !== 0 && counted.complaints.length === 0) {
    counted.complaints.push('no test, but the run itself: see what is printed above, before the summary');
  }
  console.log(`${project}: ${counted.passed} passed, ${counted.complaints.length} failed`);
  return { ...counted, complaints: counted.complaints.map((words) => `${project}: ${words}`) };
}

/**
 * @typedef {object} FileResult
 * @property {string} name
 * @property {string} status
 * @property {{ status: string, fullName: string }[]} assertionResults
 */

/**
 * Counts tests; whatever did not pass has failed, and a file that did not get as far as its tests is one failure.
 * @param {{ testResults: FileResult[] }} report
 */
function count(report) {
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const passed = tests.filter((test) => test.status === 'passed').length;
  const others = tests.filter((test) => test.status !== 'passed');
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  );
  const complaints = [
    ...others.map(({ status, fullName }) => `not passed (${status}): ${fullName}`),
    ...broken.map(({ name }) => `did not load: ${name}`),
  ];
  return { passed, complaints };
}

/** @param {readonly string[]} words */
function chooseProjects(words) {
  const all = [...PROJECTS, ...NAMED_PROJECTS];
  const unknown = words.filter((word) => !all.includes(word));
  if (unknown.length > 0) {
    console.error(`no such tests: ${unknown.join(', ')}; there are ${all.join(', ')}`);
    process.exit(2);
  }
  if (words.length > 0) return all.filter((project) => words.includes(project));
  if (process.platform === 'linux') return PROJECTS;
  console.log(`compared on Linux only, and left out here: ${ON_LINUX.join(', ')}`);
  return PROJECTS.filter((project) => !ON_LINUX.includes(project));
}

const projects = chooseProjects(process.argv.slice(2));
requireNode();
ensurePackages();
provide(projects);
mkdirSync(REPORTS, { recursive: true });
const counts = projects.map(runProject);
const passed = counts.reduce((sum, each) => sum + each.passed, 0);
const complaints = counts.flatMap((each) => each.complaints);
const failed = complaints.length;
// Once more at the end, where whoever reads the last screen of a long run finds them.
for (const words of complaints) console.log(words);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
