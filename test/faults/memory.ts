/** The most memory that a process has had resident, looked up while it lives: a killed one can no longer be asked. */
import { readFile } from 'node:fs/promises';
import { onTestFinished } from 'vitest';
import type { Haloscope } from '../e2e/haloscope.ts';

/**
 * What a bridge may have resident at its peak: 60 MB of Node and code, 32 MB of slices in hand, and what fetches and
 * garbage that is not yet collected add to it; 236 MB are measured while it works off a backlog of 100 pairs.
 */
export const BRIDGE_PEAK_BYTES = 300e6;

/** The kernel keeps the peak (`VmHWM`), so only the last moments before a kill can be missed. */
const SAMPLE_MS = 100;
const KIB = 1024;

export class MemoryWatch {
  readonly #process: Haloscope;
  #peakBytes = 0;

  /** Watches until the process ends. */
  constructor(process: Haloscope) {
    this.#process = process;
    const timer = setInterval(() => void this.#look(), SAMPLE_MS);
    onTestFinished(() => clearInterval(timer));
  }

  /** Resident bytes at the highest so far; 0 where it was never seen. */
  async peak(): Promise<number> {
    await this.#look();
    return this.#peakBytes;
  }

  async #look(): Promise<void> {
    if (!this.#process.isRunning) return;
    // Gone between the question and the answer.
    const peakBytes = await memoryOf(this.#process.pid, 'VmHWM').catch(() => 0);
    this.#peakBytes = Math.max(this.#peakBytes, peakBytes);
  }
}

/** Bytes that a process has resident now. */
export const residentBytes = (pid: number): Promise<number> => memoryOf(pid, 'VmRSS');

async function memoryOf(pid: number, field: 'VmHWM' | 'VmRSS'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  if (kib === undefined) throw new Error(`process ${pid} says nothing of ${field}`);
  return Number(kib) * KIB;
}
