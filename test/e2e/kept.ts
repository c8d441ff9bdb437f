/** Things that a test starts, and that end with it however it ends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { onTestFailed, onTestFinished } from 'vitest';
import { startChromium } from '../browser/chromium.ts';
import { type Bridge, Haloscope, serve } from './haloscope.ts';
import { ResultReader } from './results.ts';

/** Enough of a log to see why, in a failed test's output. */
const LOG_TAIL = 6000;

/** A bridge that the test leaves to its end; a failed test shows its log. */
export async function keptBridge(...words: string[]): Promise<Bridge> {
  const bridge = await serve(...words);
  onTestFinished(async () => {
    if (bridge.process.isRunning) await bridge.stop();
  });
  onTestFailed(() => {
    process.stderr.write(`── log of the bridge\n${bridge.process.stderr.slice(-LOG_TAIL)}\n`);
  });
  return bridge;
}

export function keptCommand(...words: string[]): Haloscope {
  const command = new Haloscope(words);
  onTestFinished(async () => {
    if (command.isRunning) await command.stop();
  });
  return command;
}

export async function keptFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'haloscope-e2e-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

export async function keptChromium(options: { readonly webgpu?: boolean } = {}): Promise<Browser> {
  const browser = await startChromium(options);
  onTestFinished(() => browser.close());
  return browser;
}

export async function keptReader(brokers: string, topic: string): Promise<ResultReader> {
  const reader = await new ResultReader(brokers, topic).open();
  onTestFinished(() => reader.close());
  return reader;
}
