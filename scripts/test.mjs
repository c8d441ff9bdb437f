/**
 * `npm test`: provides what the tests need (packages, a browser, Java, Maven, Kafka's jars, a build), runs them,
 * and closes with one line, `N passed, N failed`. What could not run counts as failed: a skipped test, a test
 * file that did not load, a machine without a browser. Arguments choose projects: `npm test -- unit broker`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuild, ensurePackages, requireNode } from './install.mjs';
import { findCertutil, findChromium, findJava, findMaven, repository } from './machine.mjs';
import { ensureProgram } from './system-packages.mjs';

/** In the order in which they run: the fast ones first. */
const PROJECTS = ['unit', 'gpu', 'broker', 'e2e'];
/** What beyond Node each project needs. */
const NEEDS = {
  chromium: ['gpu', 'e2e'],
  certutil: ['e2e'],
  kafka: ['broker', 'e2e'],
  build: ['unit', 'gpu', 'broker', 'e2e'],
};

const REPORTS = join(repository, 'test-results');

/** @param {readonly string[]} projects */
function provide(projects) {
  /** @param {readonly string[]} users */
  const needed = (users) => projects.some((project) => users.includes(project));
  if (needed(NEEDS.chromium)) ensureProgram('Chromium', findChromium);
  if (needed(NEEDS.certutil)) ensureProgram('certutil', findCertutil);
  if (needed(NEEDS.kafka)) {
    ensureProgram('a Java runtime', findJava);
    ensureProgram('Maven', findMaven);
  }
  if (needed(NEEDS.build)) ensureBuild();
}

/**
 * Runs one project.
 * @param {string} project
 * @returns {{ passed: number, failed: number }}
 */
function runProject(project) {
  const report = join(REPORTS, `${project}.json`);
  const vitest = join(repository, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--project', project, ...reporters], {
    cwd: repository,
    stdio: 'inherit',
  });
  const counted = existsSync(report)
    ? count(JSON.parse(readFileSync(report, 'utf8')))
    : { passed: 0, failed: 0 };
  // A run can fail beside its tests: no test found, a broker that did not start, an error out of nowhere.
  if (status !== 0 && counted.failed === 0) counted.failed = 1;
  console.log(`${project}: ${counted.passed} passed, ${counted.failed} failed`);
  return counted;
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
  for (const test of others) console.log(`not passed (${test.status}): ${test.fullName}`);
  const broken = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  );
  for (const file of broken) console.log(`did not load: ${file.name}`);
  return { passed, failed: others.length + broken.length };
}

/** @param {readonly string[]} words */
function chooseProjects(words) {
  const unknown = words.filter((word) => !PROJECTS.includes(word));
  if (unknown.length > 0) {
    console.error(`no such tests: ${unknown.join(', ')}; there are ${PROJECTS.join(', ')}`);
    process.exit(2);
  }
  return words.length === 0 ? PROJECTS : PROJECTS.filter((project) => words.includes(project));
}

const projects = chooseProjects(process.argv.slice(2));
requireNode();
ensurePackages();
provide(projects);
rmSync(REPORTS, { recursive: true, force: true });
mkdirSync(REPORTS, { recursive: true });
const counts = projects.map(runProject);
const passed = counts.reduce((sum, each) => sum + each.passed, 0);
const failed = counts.reduce((sum, each) => sum + each.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
