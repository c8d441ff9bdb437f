/**
 * A process that measures WebGPU through Dawn and prints the result as one line of JSON: `BINS SOFTWARE`.
 *
 * The package is loaded by a name that the build does not see, because it may be missing.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { NO_ADAPTER } from '../../../web/engine/gpu/device.ts';
import { measureEngine } from '../../../web/engine/measure.ts';

const BUDGET_MS = 300;

interface Dawn {
  readonly create: (flags: string[]) => GPU;
  readonly globals: object;
}

const [bins, software] = process.argv.slice(2);
const file = createRequire(import.meta.url).resolve('webgpu');
const { create, globals } = (await import(pathToFileURL(file).href)) as Dawn;
Object.assign(globalThis, globals);
const gpu = create(process.platform === 'linux' ? ['backend=vulkan'] : []);
const measured = await measureEngine('gpu', {
  bins: Number(bins),
  window: 'none',
  budgetMs: BUDGET_MS,
  software: software === 'true',
  surroundings: { secure: undefined, gpu },
});
// What helps a browser does not help here.
const trouble = measured.trouble === NO_ADAPTER ? 'Dawn finds no Vulkan driver here' : measured.trouble;
process.stdout.write(
  `${JSON.stringify({ ...measured, name: `Dawn in Node: ${measured.name}`, trouble })}\n`,
  () => {
    // Dawn's threads would keep the process; and whoever holds `gpu` no longer must not see it collected before.
    process.exit(gpu === undefined ? 1 : 0);
  },
);
