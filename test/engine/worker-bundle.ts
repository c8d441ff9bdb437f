/** Builds the script of the Node worker threads into a temporary folder, as the Node build does into `dist`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const ENTRY = fileURLToPath(new URL('../../web/engine/pool-worker-node.ts', import.meta.url));

export interface WorkerBundle {
  readonly file: string;
  remove(): void;
}

export async function bundleWorker(): Promise<WorkerBundle> {
  const folder = mkdtempSync(join(tmpdir(), 'haloscope-worker-'));
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: ENTRY,
      target: 'node20',
      outDir: folder,
      rolldownOptions: { output: { entryFileNames: 'engine-worker.mjs' } },
    },
  });
  return {
    file: join(folder, 'engine-worker.mjs'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
