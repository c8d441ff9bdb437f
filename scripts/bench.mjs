/** `npm run bench`: installs and builds what is missing, then runs `test/bench/main.ts`. */
import { join } from 'node:path';
import { ensureBuild, ensurePackages, requireNode } from './install.mjs';
import { findChromium, findJava, findMaven, repository } from './machine.mjs';
import { ensureProgram } from './system-packages.mjs';

requireNode();
ensurePackages();
ensureProgram('Chromium', findChromium);
ensureProgram('a Java runtime', findJava);
ensureProgram('Maven', findMaven);
ensureBuild();

const { runnerImport } = await import('vite');
const { module } = await runnerImport(join(repository, 'test', 'bench', 'main.ts'), {
  root: repository,
  configFile: false,
});
const bench = /** @type {{ main(words: string[]): Promise<number> }} */ (module);
process.exit(await bench.main(process.argv.slice(2)));
