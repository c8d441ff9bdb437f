/**
 * The same pairs through the offline page, through `analyze`, and through Kafka: the same counts and provenance, and
 * mean and std within what engines may differ by (Chromium rounds a product and its sum once, older Nodes twice).
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, inject, test } from 'vitest';
import { openPage } from '../browser/chromium.ts';
import { TONE_TOLERANCE } from '../engine/accuracy.ts';
import { newChain, produceWords, serveChain } from './chain.ts';
import { runProblems } from './exports.ts';
import { Haloscope } from './haloscope.ts';
import { keptChromium, keptCommand, keptFolder } from './kept.ts';
import { drop, keptStatic, shownFiles, startButton } from './offline-page.ts';
import { relativeError } from './results.ts';
import { expectedOf, recordMany, writePairs } from './samples.ts';

const FORMATS = ['csv', 'ecsv', 'npz', 'json'] as const;
const FILES = 3;
const SLICES = 300;

interface Saved {
  readonly name: string;
  readonly bytes: Buffer;
}

async function save(page: Page, button: string): Promise<Saved> {
  const started = page.waitForEvent('download');
  await page.getByRole('button', { name: button, exact: true }).click();
  const download = await started;
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

/** Two engines, each within its tolerance of the truth. */
const LIMIT = { power: 2 * TONE_TOLERANCE.mean, std: 2 * TONE_TOLERANCE.std } as const;
/** Means of noise of 2e-3 V are about 1e-6 V; float32 sums of it round at 1e-10. */
const MEAN_DECIMALS = 9;

/** NPZ holds its provenance with four bytes a character; digits of the means may be a few more or less. */
const NPZ_META_BYTES = 128;

type Row = readonly number[];

/** Everything but the numbers of the engine, and those by themselves: [bins] of frequency, power, std, count. */
interface Taken {
  readonly rest: string;
  readonly rows: readonly Row[];
  /** Means of the samples. */
  readonly means: readonly number[];
}

function fromText(text: string): Taken {
  const lines = text.trimEnd().split('\n');
  const isRow = (line: string): boolean => /^[0-9]/.test(line);
  const means: number[] = [];
  const rest = lines
    .filter((line) => !isRow(line))
    .join('\n')
    .replaceAll(/("mean_[IQ]_V":)([^,}]+)/g, (_, key: string, value: string) => {
      means.push(Number(value));
      return key;
    });
  return { rest, means, rows: lines.filter(isRow).map((line) => line.split(',').map(Number)) };
}

function fromJson(text: string): Taken {
  const { power, std, freq_Hz, ...rest } = JSON.parse(text) as Record<'power' | 'std' | 'freq_Hz', Row> & {
    readonly count: number;
  };
  const rows = power.map((value, bin) => [freq_Hz[bin] as number, value, std[bin] as number, rest.count]);
  return { ...fromText(JSON.stringify(rest)), rows };
}

function expectSame(format: (typeof FORMATS)[number], page: Buffer, command: Buffer): void {
  // Arrays of a fixed width: how numpy reads them is another test's.
  if (format === 'npz') {
    expect(Math.abs(page.length - command.length)).toBeLessThan(NPZ_META_BYTES);
    return;
  }
  const take = format === 'json' ? fromJson : fromText;
  const [own, other] = [take(page.toString()), take(command.toString())];
  expect(own.rest).toBe(other.rest);
  own.means.forEach((mean, k) => expect(mean).toBeCloseTo(other.means[k] as number, MEAN_DECIMALS));
  expect(own.rows).toHaveLength(other.rows.length);
  own.rows.forEach(([freqHz, power, std, count], bin) => {
    const [wantFreqHz, wantPower = 0, wantStd = 0, wantCount] = other.rows[bin] ?? [];
    expect([freqHz, count]).toEqual([wantFreqHz, wantCount]);
    expect(relativeError(power, wantPower)).toBeLessThanOrEqual(LIMIT.power);
    expect(relativeError(std, wantStd)).toBeLessThanOrEqual(LIMIT.std);
  });
}

test('the offline page, the command line and Kafka give one spectrum', async () => {
  const recordings = recordMany(1, FILES, SLICES);
  const expected = recordings.map(expectedOf);
  const parent = await keptFolder();
  const folder = join(parent, 'run404');
  await mkdir(folder);
  await writePairs(folder, recordings);

  const words = ['analyze', 'run404', '--per-file', '--settle', '0', '--out', 'out'];
  const command = new Haloscope([...words, ...FORMATS.map((format) => `--${format}`)], parent);
  expect((await command.finished()).status).toBe(0);
  const fromCommand = (name: string): Promise<Buffer> => readFile(join(parent, 'out', name));

  const { url } = await keptStatic();
  const { page, errors } = await openPage(await keptChromium(), `${url}offline.html`);
  await drop(page, folder);
  await startButton(page).click();
  await shownFiles(page, FILES);
  await page.keyboard.press('x');
  for (const format of FORMATS) {
    const run = await save(page, format.toUpperCase());
    expect(run.name).toBe(`haloscope_run404_run.${format}`);
    expectSame(format, run.bytes, await fromCommand(run.name));
    const file = await save(page, `File as ${format.toUpperCase()}`);
    expect(file.name).toBe(`haloscope_run404_file${FILES}.${format}`);
    expectSame(format, file.bytes, await fromCommand(file.name));
  }
  // Another file is chosen, and is what is shown and exported from then on.
  await page.keyboard.press('i');
  await page.getByRole('button', { name: /duck_\{i,q\}_00001/ }).click();
  await page.locator('.legend-entry.latest', { hasText: 'file 1' }).waitFor();
  await page.keyboard.press('x');
  const first = await save(page, 'File as JSON');
  expectSame('json', first.bytes, await fromCommand('haloscope_run404_file1.json'));
  // A click into the waterfall shows the file that was recorded then; the first one is the lowest.
  const rows = page.locator('.panel.waterfall .u-over');
  const position = { x: 200, y: 4 };
  await rows.hover({ position });
  const hovered = page.locator('.panel.waterfall .hover', { hasText: /file [23] / });
  const [name = ''] = /file \d/.exec((await hovered.textContent()) ?? '') ?? [];
  await rows.click({ position });
  await page.locator('.legend-entry.latest', { hasText: name }).waitFor();
  expect(errors).toEqual([]);

  const { count, power, std } = JSON.parse((await fromCommand('haloscope_run404_run.json')).toString()) as {
    readonly count: number;
    readonly power: readonly number[];
    readonly std: readonly number[];
  };
  const chain = await newChain(inject('kafka')['4.4.0']);
  const bridge = await serveChain(chain, '--processor', 'always');
  await keptCommand(...produceWords(chain, folder, 'run404'), '--pace', 'max').finished();
  await bridge.until('all files are done', ({ run }) => run.filesDone === FILES);
  expect(await runProblems(bridge, 'run404', expected)).toEqual([]);
  const published = (await (await bridge.get('api/runs/run404/spectrum.json')).json()) as {
    readonly count: number;
    readonly power: readonly number[];
    readonly std: readonly number[];
  };
  expect(count).toBe(FILES * SLICES);
  expect(published.count).toBe(count);
  published.power.forEach((value, bin) => {
    expect(relativeError(power[bin], value)).toBeLessThanOrEqual(LIMIT.power);
    expect(relativeError(std[bin], published.std[bin] as number)).toBeLessThanOrEqual(LIMIT.std);
  });
});
