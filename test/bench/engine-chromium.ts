/**
 * Contestants in a Chromium that was started by itself: its page posts the last answer and gets the next task as the
 * response, so nothing but that request is between the rounds.
 */
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import sirv from 'sirv';
import { build } from 'vite';
import { startPlainChromium } from '../browser/plain-chromium.ts';
import type { Round } from './contest.ts';

/** Our engine with so many workers, or the other one. */
export type PageTask = number | 'pffft';
export interface PageAnswer extends Round {
  readonly name: string;
}

export interface PageContest {
  ask(task: PageTask): Promise<PageAnswer>;
  stop(): Promise<void>;
}

const ANSWER_TIMEOUT_MS = 60_000;

async function buildPage(folder: string): Promise<void> {
  await build({
    root: fileURLToPath(new URL('./page', import.meta.url)),
    configFile: false,
    logLevel: 'error',
    base: './',
    worker: { format: 'es' },
    build: { outDir: folder, emptyOutDir: true, target: 'esnext', minify: false },
  });
}

/** Pairs the page's requests with the tasks: one of each waits for the other. */
class Turns {
  #page: ((task: PageTask) => void) | undefined;
  #task: PageTask | undefined;
  #answered: ((body: string) => void) | undefined;

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    if (body !== 'null') this.#answered?.(body);
    this.#page = (task) => response.end(JSON.stringify(task));
    this.#send();
  }

  ask(task: PageTask): Promise<string> {
    this.#task = task;
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error('the page gave no answer in a minute')),
        ANSWER_TIMEOUT_MS,
      );
      this.#answered = (body) => {
        clearTimeout(late);
        resolve(body);
      };
      this.#send();
    });
  }

  #send(): void {
    if (this.#page === undefined || this.#task === undefined) return;
    this.#page(this.#task);
    this.#page = undefined;
    this.#task = undefined;
  }
}

/** @param samples file with the pair */
export async function startPageContest(samples: string, bins: number): Promise<PageContest> {
  const folder = mkdtempSync(join(tmpdir(), 'haloscope-contest-'));
  await buildPage(folder);
  const files = sirv(folder, { dev: true });
  const turns = new Turns();
  const server = createServer((request, response) => {
    if (request.url === '/samples') createReadStream(samples).pipe(response);
    else if (request.url === '/next') void turns.serve(request, response);
    else files(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const chromium = await startPlainChromium(`http://127.0.0.1:${port}/?bins=${bins}`);
  return {
    ask: async (task) => {
      const answer = JSON.parse(await turns.ask(task)) as PageAnswer | { readonly failed: string };
      if ('failed' in answer) throw new Error(`Chromium: ${answer.failed}`);
      return answer;
    },
    stop: async () => {
      await chromium.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
