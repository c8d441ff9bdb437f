/** `analyze` as a user runs it: a process of its own, worker threads, standard output, exit status. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repository } from '../../scripts/machine.mjs';
import { type Finished, run, until } from './haloscope.ts';
import { keptCommand, keptFolder } from './kept.ts';
import { BINS, type Expected, expectedOf, record, recordMany, writePair, writePairs } from './samples.ts';

/** A strong line in noise; as for the published results of the pipeline's tests. */
const TOLERANCE = { mean: 2e-6, std: 1e-5 };
const COMMON = ['--settle', '0'] as const;

interface Spectrum {
  readonly run: string;
  readonly file: number | null;
  readonly files: number;
  readonly slices: number;
  readonly count: number;
  readonly missing: string;
  readonly window: string;
  readonly rbw_Hz: number;
  readonly freq_Hz: readonly number[];
  readonly power: readonly number[];
  readonly std: readonly number[];
}

const spectrumOf = ({ stdout }: Finished): Spectrum => JSON.parse(stdout) as Spectrum;

function expectRight(found: Spectrum, { count, mean, std }: Expected): void {
  expect(found.count).toBe(count);
  for (let bin = 0; bin < BINS; bin++) {
    expect(Math.abs((found.power[bin] as number) / (mean[bin] as number) - 1)).toBeLessThan(TOLERANCE.mean);
    expect(Math.abs((found.std[bin] as number) / (std[bin] as number) - 1)).toBeLessThan(TOLERANCE.std);
  }
}

/** As if all files had been written an hour ago. */
async function makeOld(folder: string): Promise<void> {
  const then = new Date(Date.now() - 3_600_000);
  for (const name of await readdir(folder)) await utimes(join(folder, name), then, then);
}

test('a folder of folders with everything that can be wrong: the rest is right, each problem is named', async () => {
  const folder = join(await keptFolder(), 'run404');
  await mkdir(join(folder, 'later'), { recursive: true });
  const recordings = [...recordMany(3, 2, 300), ...recordMany(11, 2, 300)];
  await writePairs(folder, recordings.slice(0, 2));
  await writePairs(join(folder, 'later'), recordings.slice(2));
  await writeFile(join(folder, 'duck_i_00005.dat'), new Uint8Array(4096));
  await writeFile(join(folder, 'duck_i_00006.dat'), new Uint8Array(4097));
  await writeFile(join(folder, 'duck_q_00006.dat'), new Uint8Array(4096));
  await writeFile(join(folder, 'duck_i_00007.dat'), '');
  await writeFile(join(folder, 'duck_q_00007.dat'), '');
  await writeFile(join(folder, 'bad.sigmf-meta'), 'no JSON');
  const out = join(folder, 'out');

  const done = await run('analyze', folder, '--json', '--per-file', '--out', out, ...COMMON);

  expect(done.status).toBe(1);
  for (const name of ['duck_i_00005', 'duck_i_00006', 'duck_i_00007', 'bad.sigmf-meta'])
    expect(done.stderr).toContain(name);
  const names = ['run', 'file3', 'file4', 'file11', 'file12'].map((name) => `haloscope_run404_${name}.json`);
  expect((await readdir(out)).toSorted()).toEqual(names.toSorted());
  expect(done.stdout.trim().split('\n').toSorted()).toEqual(names.map((name) => join(out, name)).toSorted());
  for (const recording of recordings) {
    const text = await readFile(join(out, `haloscope_run404_file${recording.file}.json`), 'utf8');
    expectRight(JSON.parse(text) as Spectrum, expectedOf(recording));
  }
  const whole = JSON.parse(await readFile(join(out, 'haloscope_run404_run.json'), 'utf8')) as Spectrum;
  expect(whole).toMatchObject({ run: 'run404', file: null, files: 4, slices: 1200, window: 'none' });
  expect(whole.missing).toBe(`${folder}: 5-7 of 3-7; ${folder}/bad.sigmf-meta (unsupported)`);
});

test('standard output is the spectrum and nothing else', async () => {
  const folder = await keptFolder();
  const recording = record(3, 200);
  await writePair(folder, recording);
  const json = await run('analyze', folder, '--json', '--run', 'night', ...COMMON);
  expect(json.status).toBe(0);
  expectRight(spectrumOf(json), expectedOf(recording));
  expect(spectrumOf(json)).toMatchObject({ run: 'night', missing: '' });
  const csv = await run('analyze', folder, ...COMMON);
  const [header, first = '', ...rows] = csv.stdout.trimEnd().split('\n');
  expect(header).toBe('freq_Hz,power,std,count');
  expect(first.split(',').map(Number)).toEqual([
    10352e6,
    spectrumOf(json).power[0],
    spectrumOf(json).std[0],
    200,
  ]);
  expect(rows).toHaveLength(BINS - 1);
});

test('a saved part and the rest are the whole', async () => {
  const [one, two] = [await keptFolder(), await keptFolder()];
  await writePair(one, record(1, 200));
  await writePair(two, record(2, 150));
  const whole = spectrumOf(await run('analyze', one, two, '--json', ...COMMON));
  const part = join(two, 'part.csv');
  await writeFile(part, (await run('analyze', one, ...COMMON)).stdout);
  const merged = await run('analyze', part, two, '--json', ...COMMON);
  expect(merged.status).toBe(0);
  const { count, power } = spectrumOf(merged);
  expect(count).toBe(350);
  whole.power.forEach((value, k) => expect(Math.abs((power[k] as number) / value - 1)).toBeLessThan(1e-14));
  const others = await run('analyze', part, two, '--lo', '5e9', ...COMMON);
  expect(others.status).toBe(1);
  expect(others.stderr).toContain('its frequency is 10353000000 Hz, but that of the others 5000000000 Hz');
});

test('window, slice length and axis as asked', async () => {
  const folder = await keptFolder();
  await writePair(folder, record(1, 200));
  const words = ['--window', 'flat-top', '--bins', '4096', '--sample-rate', '1e6', '--lo', '7e9'];
  const found = spectrumOf(await run('analyze', folder, '--json', ...words, ...COMMON));
  expect(found).toMatchObject({ window: 'flat-top', count: 150 });
  expect(found.freq_Hz).toHaveLength(4096);
  expect(found.freq_Hz[0]).toBe(7e9 - 5e5);
  expect(found.rbw_Hz / (1e6 / 4096)).toBeCloseTo(3.77, 2);
});

test('a reader that wants no more is no failure', async () => {
  const folder = await keptFolder();
  await writePair(folder, record(1, 200));
  const script = join(repository, 'dist', 'node', 'haloscope.js');
  const child = spawn(process.execPath, [script, 'analyze', folder, '--settle', '0']);
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [status] = (await once(child, 'close')) as [number];
  expect(stderr).not.toContain('EPIPE');
  expect(stderr).toContain('done');
  expect(status).toBe(0);
});

test('wrong usage is status 2, nothing there is status 1, each with one line', async () => {
  const folder = await keptFolder();
  const cases: readonly (readonly [number, string, readonly string[]])[] = [
    [2, "missing required argument 'path'", []],
    [2, 'standard output takes only one', [folder, '--csv', '--json']],
    [2, '--per-file: expected --out DIR', [folder, '--per-file']],
    [2, '--window: expected none, hann', [folder, '--window', 'hamming']],
    [2, '--bins: expected a slice length', [folder, '--bins', '3000']],
    [1, 'no duck_i_NNNNN.dat', [folder]],
    [1, 'cannot be read (ENOENT)', [join(folder, 'none')]],
  ];
  for (const [status, text, words] of cases) {
    const done = await run('analyze', ...words);
    expect([done.status, done.stdout]).toEqual([status, '']);
    expect(done.stderr).toContain(text);
    expect(done.stderr.trim().split('\n')).toHaveLength(1);
  }
});

test.for(['SIGINT', 'SIGTERM'] as const)(
  '%s keeps what is done, writes it and says how much',
  async (signal) => {
    const folder = await keptFolder();
    const out = join(folder, 'out');
    const recording = record(0, 300);
    for (let file = 0; file < 20; file++) await writePair(folder, { ...recording, file });
    await makeOld(folder);
    // The last pair is waited for longer than the test lasts, so the signal always comes in time.
    await writePair(folder, record(20, 300));
    const command = keptCommand('analyze', folder, '--json', '--per-file', '--out', out, '--settle', '10m');
    await until(
      'some files are done',
      () => Promise.resolve(command.stdout.split('\n').length > 3 || undefined),
      60_000,
    );
    expect(await command.stop(signal)).toBe(0);
    const { stdout, stderr } = await command.finished();
    const last = stdout.trim().split('\n').at(-1) ?? '';
    const found = JSON.parse(await readFile(last, 'utf8')) as Spectrum;
    const measured = stdout.trim().split('\n').length - 1;
    expect(found).toMatchObject({ files: measured, count: 300 * measured });
    expect(measured).toBeLessThan(21);
    expect(stderr).toContain(`stopped: ${measured} of 21 recordings are in the spectrum`);
  },
);
