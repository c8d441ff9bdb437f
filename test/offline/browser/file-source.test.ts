/** Bytes of a file as a browser streams it. */
import { expect, test } from 'vitest';
import { FileSource } from '../../../web/offline/browser/file-source.ts';

const BYTES = Uint8Array.from({ length: 300_000 }, (_, k) => (k * 31) % 251);
const sourceOf = (bytes: Uint8Array<ArrayBuffer>) =>
  new FileSource({ path: 'a/b.dat', file: new File([bytes], 'b.dat', { lastModified: 5 }) });

async function read(source: FileSource, ...places: readonly (readonly [at: number, length: number])[]) {
  const open = await source.open();
  const parts: Uint8Array[] = [];
  for (const [at, length] of places) {
    const into = new Uint8Array(length);
    await open.read(into, at);
    parts.push(into);
  }
  await open.checkUnchanged();
  await open.close();
  return parts;
}

test('path, length and time are those of the file', () => {
  expect(sourceOf(BYTES)).toMatchObject({ path: 'a/b.dat', bytes: BYTES.length, modifiedMs: 5 });
});

test('pieces that follow each other, that skip something, and the last byte', async () => {
  const places = [
    [0, 1],
    [1, 70_000],
    [70_001, 65_536],
    [200_000, 99_999],
    [299_999, 1],
  ] as const;
  const parts = await read(sourceOf(BYTES), ...places);
  parts.forEach((part, k) => {
    const [at, length] = places[k] ?? [0, 0];
    expect(part).toEqual(BYTES.slice(at, at + length));
  });
});

test('a file that ends too early has changed', async () => {
  await expect(read(sourceOf(BYTES), [299_000, 2000])).rejects.toMatchObject({
    code: 'changed',
    file: 'a/b.dat',
  });
});
