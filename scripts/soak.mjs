/** `npm run soak`: installs and builds what is missing, then runs `test/soak` with the seed and time given. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuild, ensurePackages, requireNode } from './install.mjs';
import { findChromium, findJava, findMaven, repository } from './machine.mjs';
import { ensureProgram } from './system-packages.mjs';

const HELP = `npm run soak -- [--seed S] [--minutes M]

Random faults against a live pipeline: a Kafka broker behind a proxy, two bridges of one group, a page, a headless
processor, a viewer and a producer. Ends with the check that every complete file was published once, with the values
of the reference, that the incomplete one is listed, and that no bridge took more memory than it may.

  --seed S      which faults come in which order (default 1); the same seed brings the same ones
  --minutes M   how long (default 1)

Exit status: 0 nothing was wrong, 1 something was, 2 wrong usage.`;

/** @returns {{ seed: number, minutes: number } | null} */
function wanted() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const [seed, minutes] = [Number(values.seed), Number(values.minutes)];
  if (!Number.isInteger(seed) || !(minutes > 0 && minutes <= 10_000))
    throw new Error('expected --seed as a whole number and --minutes as a time above zero');
  return { seed, minutes };
}

let asked;
try {
  asked = wanted();
} catch (error) {
  console.error(`soak: ${error instanceof Error ? error.message : String(error)}; see --help`);
  process.exit(2);
}
if (asked === null) {
  console.log(HELP);
  process.exit(0);
}
requireNode();
ensurePackages();
ensureProgram('Chromium', findChromium);
ensureProgram('a Java runtime', findJava);
ensureProgram('Maven', findMaven);
ensureBuild();
const vitest = join(repository, 'node_modules', 'vitest', 'vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', '--project', 'soak'], {
  cwd: repository,
  stdio: 'inherit',
  env: { ...process.env, SOAK_SEED: String(asked.seed), SOAK_MINUTES: String(asked.minutes) },
});
process.exitCode = status === 0 ? 0 : 1;
