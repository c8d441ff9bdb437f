import { expect, test } from 'vitest';
import { encodeHistory, encodeRow } from '../../bridge/protocol/history.ts';
import { fetchFiles, fetchHistory } from '../../web/worker/history.ts';

const encoded = (firstFile: number, files: number, startUtcMs: number) =>
  encodeRow({
    firstFile,
    files,
    slices: 2731 * files,
    startUtcMs,
    endUtcMs: startUtcMs + 4194 * files,
    power: 0.01,
    mean: Float64Array.of(5e-9, 6e-9),
    largest: Float64Array.of(5e-9, 7e-9),
  });

const answering = (status: number, body: Uint8Array<ArrayBuffer> | null, asked: string[] = []) => {
  return (url: URL): Promise<Response> => {
    asked.push(url.href);
    return Promise.resolve(new Response(body, { status }));
  };
};

test('rows come with their files, times and power; those without time have no place', async () => {
  const asked: string[] = [];
  const body = encodeHistory(2, 4, [encoded(4, 4, 1000), encoded(8, 4, Number.NaN), encoded(12, 1, 50_000)]);
  const rows = await fetchHistory('https://daq:8080/lab/', 'run~2', answering(200, body, asked));
  expect(asked).toEqual(['https://daq:8080/lab/api/runs/run~2/history?rows=768']);
  expect(
    rows.map(({ firstFile, lastFile, files, startMs }) => [firstFile, lastFile, files, startMs]),
  ).toEqual([
    [4, 7, 4, 1000],
    [12, 12, 1, 50_000],
  ]);
  expect(rows[0]).toMatchObject({ run: 'run~2', slices: 10_924, totalPower: 0.01, endMs: 17_776 });
  // The code's resolution is 1.7e-4.
  expect(Math.abs((rows[0]?.mean[1] ?? 0) / 6e-9 - 1)).toBeLessThan(2e-4);
});

test('a run that the bridge does not know has no history; anything else is said', async () => {
  expect(await fetchHistory('http://a/', 'r', answering(404, null))).toEqual([]);
  await expect(fetchHistory('http://a/', 'r', answering(503, null))).rejects.toThrow('503');
  await expect(fetchHistory('http://a/', 'r', answering(200, new Uint8Array(7)))).rejects.toThrow('32 bytes');
});

test('a stretch is asked for file by file, and keeps the largest bin of each column', async () => {
  const asked: string[] = [];
  const body = encodeHistory(2, 1, [encoded(4, 1, 1000), encoded(5, 1, 5194)]);
  const files = { run: 'r', firstFile: 4, lastFile: 5, files: 2 };
  const rows = await fetchFiles('http://a/', files, answering(200, body, asked));
  expect(asked).toEqual(['http://a/api/runs/r/history?from=4&to=5&rows=2']);
  expect(rows.map(({ firstFile, files: n }) => [firstFile, n])).toEqual([
    [4, 1],
    [5, 1],
  ]);
  expect(Math.abs((rows[0]?.largest?.[1] ?? 0) / 7e-9 - 1)).toBeLessThan(2e-4);
});

test('a row with a gap reaches to the end of its stretch; the newest to the files that there are', async () => {
  const body = encodeHistory(2, 4, [encoded(5, 3, 1000), encoded(8, 2, 20_000), encoded(12, 2, 50_000)]);
  const rows = await fetchHistory('http://a/', 'r', answering(200, body));
  expect(rows.map(({ firstFile, lastFile, files }) => [firstFile, lastFile, files])).toEqual([
    [5, 7, 3],
    [8, 11, 2],
    [12, 13, 2],
  ]);
});
