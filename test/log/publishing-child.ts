/** A process that publishes file after file to an output until it is killed; the other half is `publisher.ts`. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** How a child opens the output. */
export type ChildTarget =
  | { readonly kind: 'embedded'; readonly directory: string }
  | {
      readonly kind: 'kafka';
      readonly brokers: readonly string[];
      readonly results: string;
      readonly transactionalId: string;
    };

export interface PublishingChild {
  readonly pid: number;
  /** Resolves when the first file of this child is acknowledged; rejects when the child ends by itself. */
  readonly firstPublish: Promise<void>;
  /** kill -9; resolves, when the process is gone, with the number of files that were acknowledged in all. */
  kill(): Promise<number>;
}

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
let bundle: Promise<string> | null = null;

/** Node 20 runs no TypeScript, so the child is bundled once per test process, near `node_modules`. */
async function bundled(): Promise<string> {
  const { mkdir } = await import('node:fs/promises');
  await mkdir(at('../../.cache'), { recursive: true });
  const folder = await mkdtemp(at('../../.cache/publisher-'));
  await build({
    configFile: false,
    logLevel: 'error',
    root: at('../..'),
    publicDir: false,
    build: {
      ssr: at('publisher.ts'),
      outDir: folder,
      emptyOutDir: false,
      rolldownOptions: { output: { entryFileNames: 'publisher.js', format: 'es' } },
    },
  });
  return join(folder, 'publisher.js');
}

export async function startPublishing(target: ChildTarget): Promise<PublishingChild> {
  bundle ??= bundled();
  const child = spawn(process.execPath, [await bundle, JSON.stringify(target)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return watch(child);
}

function watch(child: ChildProcess): PublishingChild {
  let acknowledged = 0;
  let complaint = '';
  child.stderr?.on('data', (text: Buffer) => {
    complaint += text.toString();
  });
  const exit = once(child, 'exit');
  const firstPublish = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      acknowledged = Number(line);
      resolve();
    });
    child.once('exit', (code) => reject(new Error(`the child ended by itself with ${code}: ${complaint}`)));
  });
  firstPublish.catch(() => {});
  const kill = async (): Promise<number> => {
    child.kill('SIGKILL');
    await exit;
    return acknowledged;
  };
  return { pid: child.pid as number, firstPublish, kill };
}
