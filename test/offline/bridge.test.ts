/**
 * The same folder through the bridge and offline: identical counts, mean and std within the engine's tolerance.
 * Blocks differ (what messages bring, here; 160 slices there), so sums are rounded differently.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Lease } from '../../bridge/dispatch/lease.ts';
import { findSources } from '../../bridge/files/disk-source.ts';
import { FolderInput } from '../../bridge/log/embedded/folder-input.ts';
import { LmdbOutput } from '../../bridge/log/embedded/output.ts';
import { BridgeMetrics } from '../../bridge/metrics.ts';
import { Pipeline } from '../../bridge/pipeline.ts';
import type { Geometry } from '../../bridge/protocol/geometry.ts';
import { sampleStd, type SpectrumMoments } from '../../bridge/protocol/moments.ts';
import { pairFileName } from '../../bridge/protocol/pairs.ts';
import { decodeResult, resultMoments } from '../../bridge/protocol/result.ts';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import type { SpectrumEngine } from '../../web/engine/engine.ts';
import { analyze, type Measured, RunSum } from '../../web/offline/analysis.ts';
import { makeCatalogue } from '../../web/offline/catalogue.ts';
import { bytesOf, noise } from './sources.ts';

const GEOMETRY: Geometry = { bins: 384, sampleRateHz: 2e6, loHz: 10e9 };
const SLICES = [2500, 900, 1301];
/** Noise, either side against float64: 5e-7 (engine.md), and the two may err in opposite directions. */
const TOLERANCE = 1e-6;

type Sums = Pick<SpectrumMoments, 'count' | 'mean' | 'm2'>;

let root: string;
let folder: string;
let engine: SpectrumEngine;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'haloscope-'));
  folder = join(root, 'run1');
  await mkdir(folder);
  engine = await createCpuEngine({ bins: GEOMETRY.bins, window: 'none', workers: 0 });
  for (const [file, slices] of SLICES.entries()) {
    const { i, q } = noise(file, slices * GEOMETRY.bins + 17);
    await writeFile(join(folder, pairFileName('i', file)), bytesOf(i));
    await writeFile(join(folder, pairFileName('q', file)), bytesOf(q));
  }
});
afterEach(async () => {
  await engine.dispose();
  await rm(root, { recursive: true });
});

/** What the bridge publishes of the folder, file by file, and its run-wide sums. */
async function throughBridge(): Promise<{ files: Sums[]; run: Sums }> {
  const output = new LmdbOutput({ directory: join(root, 'store') });
  const pipeline = new Pipeline({
    input: new FolderInput({
      folder,
      geometry: GEOMETRY,
      run: 'run1',
      from: 'earliest',
      problem: () => {},
      settleMs: 0,
      pollMs: 20,
    }),
    output,
    retention: null,
    inputName: 'folder',
    geometry: GEOMETRY,
    run: 'run1',
    slicesPerFile: 1,
    from: 'earliest',
    incompleteAfterMs: 60_000,
    software: 'haloscope test',
    machine: 'here',
    scaleOut: null,
    metrics: new BridgeMetrics(),
    logger: pino({ level: 'silent' }),
  });
  const compute = async ({ block, epoch }: Lease): Promise<void> => {
    const bytes = Buffer.concat(block.segments.map(({ value }) => value));
    const samples = new Float32Array(new Uint8Array(bytes).buffer);
    let offset = 0;
    const segments = block.segments.map(({ slices }) => {
      const segment = { offset, slices };
      offset += 2 * slices * block.bins;
      return segment;
    });
    const moments = await engine.process({ samples, segments, clipLevel: block.clipLevel });
    session.answer(block.id, epoch, moments, 1);
    session.grant(1);
  };
  const failures: string[] = [];
  await pipeline.start();
  const session = pipeline.join({
    id: 'p',
    headless: true,
    engine: engine.description,
    deliver: (lease) => void compute(lease),
    dismiss: (_code, message) => failures.push(message),
  });
  session.grant(2);
  await expect
    .poll(() => [failures, pipeline.state().run.filesDone], { timeout: 15_000 })
    .toEqual([[], SLICES.length]);
  const files = await Promise.all(
    SLICES.map(async (_, file) => {
      const record = await output.read('run1', file);
      return resultMoments(decodeResult(record?.value.toString('utf8') ?? ''), GEOMETRY);
    }),
  );
  const spectrum = await pipeline.runSpectrum('run1');
  if (spectrum === null) throw new Error('the bridge has no run-wide spectrum');
  await pipeline.stop();
  return { files, run: spectrum.moments };
}

async function offline(): Promise<{ files: SpectrumMoments[]; run: SpectrumMoments }> {
  const signal = new AbortController().signal;
  const { found, named } = await findSources([folder], { settleMs: 0, signal });
  const { recordings } = await makeCatalogue(found, named, GEOMETRY.bins);
  const measured: Measured[] = [];
  const sum = new RunSum(GEOMETRY.bins);
  await analyze(
    recordings,
    { engine, geometry: GEOMETRY, verify: true, stop: signal, giveUp: signal },
    {
      measured: (one) => {
        measured.push(one);
        sum.add(one.moments, 1, one.startMs, one.endMs);
      },
      problem: (problem) => {
        throw problem;
      },
    },
  );
  return { files: measured.map(({ moments }) => moments), run: sum.moments };
}

function expectSame(found: Sums, wanted: Sums): void {
  expect(found.count).toBe(wanted.count);
  for (let k = 0; k < GEOMETRY.bins; k++) {
    expect(Math.abs((found.mean[k] as number) / (wanted.mean[k] as number) - 1)).toBeLessThan(TOLERANCE);
    expect(Math.abs(sampleStd(found, k) / sampleStd(wanted, k) - 1)).toBeLessThan(TOLERANCE);
  }
}

test('files and run have the same count, mean and deviation both ways', async () => {
  const bridge = await throughBridge();
  const own = await offline();
  expect(own.files.map(({ count }) => count)).toEqual(SLICES);
  expect(bridge.files).toHaveLength(SLICES.length);
  bridge.files.forEach((file, k) => expectSame(own.files[k] as SpectrumMoments, file));
  expectSame(own.run, bridge.run);
});
