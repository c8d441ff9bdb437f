/** What a bridge serves of its runs, against the reference: single files, and the average over a run. */
import { TONE_TOLERANCE } from '../engine/accuracy.ts';
import type { Bridge } from './haloscope.ts';
import { relativeError } from './results.ts';
import type { Expected } from './samples.ts';

interface ExportedSpectrum {
  readonly power: readonly number[];
  readonly std: readonly number[];
  readonly count: number;
}

/** Everything that is wrong with single files, in words. */
export async function fileProblems(
  bridge: Bridge,
  run: string,
  expected: readonly Expected[],
): Promise<string[]> {
  const problems: string[] = [];
  for (const each of expected) {
    problems.push(...(await exportProblems(bridge, `api/runs/${run}/files/${each.file}.json`, each)));
  }
  return problems;
}

/** Everything that is wrong with the average over a run; a file that was added twice shows in its count. */
export const runProblems = (bridge: Bridge, run: string, expected: readonly Expected[]): Promise<string[]> =>
  exportProblems(bridge, `api/runs/${run}/spectrum.json`, averageOf(expected));

async function exportProblems(
  bridge: Bridge,
  path: string,
  expected: Omit<Expected, 'file'>,
): Promise<string[]> {
  const response = await bridge.get(path);
  if (response.status !== 200) return [`${path}: status ${response.status}`];
  const actual = (await response.json()) as ExportedSpectrum;
  const problems: string[] = [];
  if (actual.count !== expected.count)
    problems.push(`${path}: ${actual.count} slices, not ${expected.count}`);
  const worst = (got: readonly number[], want: Float64Array): number =>
    want.reduce((most, value, bin) => Math.max(most, relativeError(got[bin], value)), 0);
  const mean = worst(actual.power, expected.mean);
  const std = worst(actual.std, expected.std);
  if (!(mean <= TONE_TOLERANCE.mean)) problems.push(`${path}: power off by ${mean}, relative`);
  if (!(std <= TONE_TOLERANCE.std)) problems.push(`${path}: std off by ${std}, relative`);
  return problems;
}

/** Mean and sample standard deviation over all slices of all files, from those of each file. */
function averageOf(files: readonly Expected[]): Omit<Expected, 'file'> {
  const count = files.reduce((sum, file) => sum + file.count, 0);
  const bins = files[0]?.mean.length ?? 0;
  const mean = new Float64Array(bins);
  const std = new Float64Array(bins);
  for (let bin = 0; bin < bins; bin++) {
    const at = (of: Float64Array): number => of[bin] as number;
    mean[bin] = files.reduce((sum, file) => sum + file.count * at(file.mean), 0) / count;
    const spread = files.reduce(
      (sum, file) =>
        sum + (file.count - 1) * at(file.std) ** 2 + file.count * (at(file.mean) - at(mean)) ** 2,
      0,
    );
    std[bin] = Math.sqrt(spread / (count - 1));
  }
  return { count, mean, std };
}
