/** Prints, when all is done, how many cases the fuzzing has run. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'haloscope-fuzz-'));
  const file = join(folder, 'counts');
  writeFileSync(file, '');
  project.provide('fuzzCounts', file);
  return () => {
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    const sum = lines.reduce((total, line) => total + Number.parseInt(line, 10), 0);
    process.stdout.write(`fuzzing: ${sum} cases in ${lines.length} properties\n`);
    rmSync(folder, { recursive: true, force: true });
  };
}
