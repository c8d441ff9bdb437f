/** `npm run bench`: installs and builds what is missing, then runs `test/bench/main.ts`. */
import { join } from 'node:path';
import { ensureBuild, ensurePackages, requireNode } from './install.mjs';
import { findChromium, findJava, findMaven, repository } from './machine.mjs';
import { ensureProgram } from './system-packages.mjs';

requireNode();
ensurePackages();
const words = process.argv.slice(2);
const sections = words.filter((word) => !word.startsWith('-'));
/** @param {readonly string[]} some */
const isOnly = (some) => sections.length > 0 && sections.every((word) => some.includes(word));
// These run where there is nothing but a GPU: no browser, no broker.
const ENGINES = ['engine', 'gpu', 'steady'];
if (!isOnly(ENGINES)) ensureProgram('Chromium', findChromium);
if (!isOnly([...ENGINES, 'offline', 'feel', 'kiosk'])) {
  ensureProgram('a Java runtime', findJava);
  ensureProgram('Maven', findMaven);
}
ensureBuild();

const { runnerImport } = await import('vite');
const { module } = await runnerImport(join(repository, 'test', 'bench', 'main.ts'), {
  root: repository,
  configFile: false,
});
const bench = /** @type {{ main(words: string[]): Promise<number> }} */ (module);
process.exit(await bench.main(words));
