/** A process that publishes file after file to an output until it is killed; the other half is `publisher.ts`. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll } from 'vitest';

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
  /** Resolves with the code of the error that ended the publishing. */
  readonly error: Promise<string>;
  /** kill -9; resolves, when the process is gone, with the number of files that were acknowledged in all. */
  kill(): Promise<number>;
}

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
let bundle: Promise<string> | null = null;

afterAll(async () => {
  if (bundle !== null) await rm(dirname(await bundle), { recursive: true });
});

/** Node 20 runs no TypeScript, so the child is bundled once per test process, near `node_modules`. */
async function bundled(): Promise<string> {
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

/** @param fileLimitBytes no file may get larger: stands for a disk of that size */
export async function startPublishing(
  target: ChildTarget,
  fileLimitBytes?: number,
): Promise<PublishingChild> {
  bundle ??= bundled();
  const args = [await bundle, JSON.stringify(target)];
  // `ulimit -f` counts blocks of 512 bytes; Node ignores the signal, so that a write fails instead.
  const limit = fileLimitBytes === undefined ? '' : `ulimit -f ${Math.floor(fileLimitBytes / 512)} && `;
  const child = spawn('sh', ['-c', `${limit}exec "$0" "$@"`, process.execPath, ...args], {
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
  let failed: (code: string) => void = () => {};
  const error = new Promise<string>((resolve) => {
    failed = resolve;
  });
  const firstPublish = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      if (line.startsWith('error ')) return failed(line.slice('error '.length));
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
  return { pid: child.pid as number, firstPublish, error, kill };
}
