/** `doctor`: what it finds on this machine, what it says of it, and its exit status. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isNodeNewEnough } from '../../bridge/commands/doctor/machine.ts';
import { isWell, type Report, reportText } from '../../bridge/commands/doctor/report.ts';
import { runDoctor } from '../../bridge/commands/doctor.ts';
import { browserVersion, findBrowser } from '../../bridge/chromium.ts';
import { doctorOptions } from '../../bridge/config/checks.ts';
import { DOCTOR } from '../../bridge/config/declarations.ts';
import { resolveOptions } from '../../bridge/config/resolve.ts';
import { createLogger } from '../../bridge/logger.ts';

const log = createLogger('silent');

/** Options as the command line gives them. */
const optionsOf = (flags: Record<string, string | true>) =>
  doctorOptions(resolveOptions(DOCTOR, 'doctor', new Map(Object.entries(flags)), {}, null), {});

async function doctor(flags: Record<string, string | true>): Promise<{ status: number; text: string }> {
  let text = '';
  const status = await runDoctor(optionsOf({ 'no-browser': true, ...flags }), log, (part) => {
    text += part;
  });
  return { status, text };
}

test('every CPU engine is measured and passes its self-test; the table says so', async () => {
  const { status, text } = await doctor({ bins: '512' });
  process.stdout.write(text);
  expect(status).toBe(0);
  expect(text).toMatch(/ok {3}Node +\d+\.\d+/);
  expect(text).toMatch(/ok {3}WebAssembly SIMD.* \d[\d.]* +\d[\d.]* +– +passed/);
  expect(text).toMatch(/ok {3}TypeScript.* \d[\d.]* +\d[\d.]* +– +passed/);
  // Every line that is not well is followed by what to do.
  const lines = text.split('\n');
  for (const [k, line] of lines.entries()) {
    if (/^ {2}(see|BAD)/.test(line)) expect(lines[k + 1]).toContain('→');
  }
});

test('JSON has the same, as numbers that fit together', async () => {
  const { text } = await doctor({ json: true });
  const report = JSON.parse(text) as Report & { well: boolean };
  expect(report).toMatchObject({ bins: 3072, well: true });
  expect(report.engines.map(({ candidate }) => candidate)).toEqual(['gpu', 'wasm', 'wasm-one', 'ts-one']);
  for (const { trouble, msPerFile, mbPerSecond } of report.engines) {
    if (trouble !== null) continue;
    // Bytes of a nominal pair over its time.
    expect(((2731 * 3072 * 8) / (msPerFile as number) / 1e3 / (mbPerSecond as number)).toFixed(6)).toBe(
      '1.000000',
    );
  }
});

test('brokers that cannot be reached are a failure with advice', { timeout: 30_000 }, async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  const { status, text } = await doctor({ brokers: `127.0.0.1:${port}`, bins: '256' });
  expect(status).toBe(1);
  expect(text).toContain(`BAD  127.0.0.1:${port}  not reachable`);
  expect(text).toMatch(/→ check --brokers/);
});

test('what does not work fails, what could be better does not', () => {
  const finding = { part: 'machine', what: 'cores', found: '1', advice: 'more' } as const;
  const report = {
    software: 'x',
    bins: 256,
    engines: [],
    findings: [{ ...finding, health: 'note' }],
  } as const;
  expect(isWell(report)).toBe(true);
  expect(isWell({ ...report, findings: [{ ...finding, health: 'bad' }] })).toBe(false);
  expect(reportText(report)).toContain('see  cores  1');
});

test.each([
  ['20.19.0', true],
  ['20.18.9', false],
  ['18.20.0', false],
  ['22.0.0', true],
])('Node %s is new enough: %s', (version, is) => {
  expect(isNodeNewEnough(version)).toBe(is);
});

test('a browser is found by CHROMIUM, else in PATH, and asked for its version', async () => {
  expect(findBrowser({ CHROMIUM: '/nowhere/chromium', PATH: '/usr/bin' })).toBeUndefined();
  expect(findBrowser({ CHROMIUM: process.execPath })).toBe(process.execPath);
  const folder = mkdtempSync(join(tmpdir(), 'haloscope-doctor-'));
  symlinkSync(process.execPath, join(folder, 'chromium'));
  expect(findBrowser({ PATH: `/nowhere:${folder}` })).toBe(join(folder, 'chromium'));
  rmSync(folder, { recursive: true });
  expect(await browserVersion('/nowhere/chromium')).toBeUndefined();
  expect(await browserVersion(process.execPath)).toBe(process.version);
});
