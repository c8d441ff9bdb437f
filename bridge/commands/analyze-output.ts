/** Where the spectra of `analyze` go: standard output, or files in a folder, each whole or not there. */

import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Recording } from '../../web/offline/recording.ts';
import { pairSidecars } from '../../web/offline/sigmf.ts';
import { ENCODE, outputName } from '../../web/offline/output.ts';
import type { ExportFormat } from '../config/options.ts';
import { UsageError } from '../config/values.ts';
import type { ExportedSpectrum } from '../protocol/exports.ts';
import type { Geometry } from '../protocol/geometry.ts';
import { SOFTWARE } from '../protocol/software.ts';

export interface SpectrumSink {
  write(spectrum: ExportedSpectrum): Promise<void>;
}

/** @param folder null: standard output, which takes one format */
export async function openSink(
  folder: string | null,
  formats: readonly ExportFormat[],
): Promise<SpectrumSink> {
  if (folder === null) {
    const [format = 'csv'] = formats;
    if (format === 'npz' && process.stdout.isTTY)
      throw new UsageError(
        '--npz: expected --out DIR or a redirection, found a terminal, which cannot show it',
      );
    return { write: (spectrum) => writeStdout(ENCODE[format](spectrum)) };
  }
  await mkdir(folder, { recursive: true });
  return new FolderSink(folder, formats);
}

/** Replaces a file, or makes it, as a whole. */
async function writeWhole(folder: string, name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  const part = join(folder, `.${name}.part`);
  try {
    await writeFile(part, content);
    await rename(part, path);
  } finally {
    await rm(part, { force: true });
  }
  return path;
}

/** Metadata of both halves of a pair, beside them. */
export async function writeSidecars(
  recording: Recording & { readonly kind: 'pair' },
  geometry: Geometry,
): Promise<void> {
  for (const [name, text] of pairSidecars(recording, geometry, SOFTWARE))
    await writeWhole(dirname(recording.i.path), name, text);
}

class FolderSink implements SpectrumSink {
  readonly #folder: string;
  readonly #formats: readonly ExportFormat[];
  readonly #taken = new Set<string>();

  constructor(folder: string, formats: readonly ExportFormat[]) {
    this.#folder = folder;
    this.#formats = formats;
  }

  /** The path of each file is a line on standard output. */
  async write(spectrum: ExportedSpectrum): Promise<void> {
    const name = this.#nameOf(spectrum);
    for (const format of this.#formats) {
      const path = await writeWhole(this.#folder, `${name}.${format}`, ENCODE[format](spectrum));
      await writeStdout(`${path}\n`);
    }
  }

  #nameOf(spectrum: ExportedSpectrum): string {
    const name = outputName(spectrum, (other) => this.#taken.has(other));
    this.#taken.add(name);
    return name;
  }
}

/** A reader that has gone, as `head` does, wanted no more: that is no failure. */
const writeStdout = (content: string | Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    // The callback tells; without a listener the same error would end the process.
    process.stdout.once('error', ignore);
    process.stdout.write(content, (error) => {
      if (!error || (error as NodeJS.ErrnoException).code === 'EPIPE') resolve();
      else reject(error);
      if (!error) process.stdout.off('error', ignore);
    });
  });

const ignore = (): void => {};
