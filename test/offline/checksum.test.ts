/** SHA-512 of files against the one in their metadata; the expected ones are OpenSSL's. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { FileProblem } from '../../bridge/protocol/pairs.ts';
import { createCpuEngine } from '../../web/engine/cpu.ts';
import { analyze } from '../../web/offline/analysis.ts';
import { makeCatalogue } from '../../web/offline/catalogue.ts';
import { verify } from '../../web/offline/checksum.ts';
import { bytesOf, memorySource, noise, textSource } from './sources.ts';

const BINS = 256;
const NEVER = new AbortController().signal;
const sha512 = (bytes: Uint8Array): string => createHash('sha512').update(bytes).digest('hex');

test('a file of several pieces and a rest, in either case of the digits', async () => {
  const bytes = Uint8Array.from({ length: 5_000_001 }, (_, k) => (k * 7) % 256);
  const source = memorySource('a', bytes);
  await expect(verify({ source, sha512: sha512(bytes) }, NEVER)).resolves.toBeUndefined();
  await expect(verify({ source, sha512: sha512(bytes).toUpperCase() }, NEVER)).resolves.toBeUndefined();
  const other = sha512(bytes.with(4_999_999, 0));
  await expect(verify({ source, sha512: other }, NEVER)).rejects.toMatchObject({
    code: 'checksum',
    file: 'a',
  });
});

test('a damaged recording and a damaged half are named, and used only where nobody compares', async () => {
  const { i, q } = noise(1, 4 * BINS);
  const meta = (datatype: string, dataset: string, hash: string): string =>
    JSON.stringify({
      global: {
        'core:datatype': datatype,
        'core:version': '1.2.0',
        'core:dataset': dataset,
        'core:sha512': hash,
      },
      captures: [{ 'core:sample_start': 0 }],
      annotations: [],
    });
  const wrong = 'ab'.repeat(64);
  const sources = [
    memorySource('a/duck_i_00001.dat', bytesOf(i)),
    memorySource('a/duck_q_00001.dat', bytesOf(q)),
    textSource('a/duck_i_00001.sigmf-meta', meta('rf32_le', 'duck_i_00001.dat', sha512(bytesOf(i)))),
    textSource('a/duck_q_00001.sigmf-meta', meta('rf32_le', 'duck_q_00001.dat', wrong)),
    memorySource('a/bad.sigmf-data', bytesOf(i)),
    textSource('a/bad.sigmf-meta', meta('cf32_le', 'bad.sigmf-data', wrong)),
    memorySource('a/good.sigmf-data', bytesOf(q)),
    textSource('a/good.sigmf-meta', meta('cf32_le', 'good.sigmf-data', sha512(bytesOf(q)))),
    memorySource('a/none.sigmf-data', bytesOf(q)),
    textSource('a/none.sigmf-meta', meta('cf32_le', 'none.sigmf-data', 'no digits')),
  ];
  const catalogue = await makeCatalogue(sources, [], BINS);
  expect(catalogue.problems).toMatchObject([{ code: 'unsupported', file: 'a/none.sigmf-meta' }]);
  const engine = await createCpuEngine({ bins: BINS, window: 'none', workers: 0 });
  const geometry = { bins: BINS, sampleRateHz: 2e6, loHz: 10e9 };
  const outcome = async (isCompared: boolean) => {
    const used: string[] = [];
    const problems: FileProblem[] = [];
    await analyze(
      catalogue.recordings,
      { engine, geometry, verify: isCompared, stop: NEVER, giveUp: NEVER },
      {
        measured: ({ recording }) => void used.push(recording.path),
        problem: (problem) => void problems.push(problem),
      },
    );
    return { used, problems: problems.map(({ code, file }) => `${code} ${file}`) };
  };
  expect(await outcome(true)).toEqual({
    used: ['a/good.sigmf-data'],
    problems: ['checksum a/duck_q_00001.dat', 'checksum a/bad.sigmf-data'],
  });
  expect((await outcome(false)).used).toHaveLength(3);
  await engine.dispose();
});
