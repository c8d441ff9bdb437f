/** That the fuzzing is as much as is promised, and that no property of the list has been forgotten. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { CASES } from './cases.ts';

const PROMISED = 100_000;
const here = fileURLToPath(new URL('.', import.meta.url));

test(`at least ${PROMISED} cases`, () => {
  const sum = Object.values(CASES).reduce((total: number, cases) => total + cases, 0);
  expect(sum).toBeGreaterThanOrEqual(PROMISED);
});

test('every property of the list is run by exactly one file', () => {
  const sources = readdirSync(here)
    .filter((name) => name.endsWith('.test.ts') && name !== 'sum.test.ts')
    .map((name) => readFileSync(new URL(name, import.meta.url), 'utf8'))
    .join('\n');
  const used = [...sources.matchAll(/\bfuzz\(\s*'([^']+)'/g)].map(([, name]) => name);
  expect(new Set(used)).toEqual(new Set(Object.keys(CASES)));
  expect(used).toHaveLength(Object.keys(CASES).length);
});
