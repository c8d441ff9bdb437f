/** Files as a browser hands them over, and a session that has nothing else of a browser. */
import { pairFileName } from '../../../bridge/protocol/pairs.ts';
import { createCpuEngine } from '../../../web/engine/cpu.ts';
import type { ChooseOptions } from '../../../web/engine/choose.ts';
import type { SpectrumEngine } from '../../../web/engine/engine.ts';
import type {
  Entry,
  MeasuredFile,
  OfflineSettings,
  OfflineStatus,
  PlainProblem,
} from '../../../web/offline/browser/types.ts';
import type { SpectrumFrame } from '../../../bridge/protocol/frames.ts';
import { OfflineSession } from '../../../web/worker/offline/session.ts';
import { bytesOf, MODIFIED_MS, noise } from '../../offline/sources.ts';

export const BINS = 256;
export const SETTINGS: OfflineSettings = {
  run: '',
  bins: BINS,
  sampleRateHz: null,
  loHz: null,
  window: 'none',
  engine: 'cpu',
  verify: true,
};

export const entry = (path: string, bytes: Uint8Array | string, lastModified = MODIFIED_MS): Entry => ({
  path,
  file: new File([bytes as BlobPart], path.slice(path.lastIndexOf('/') + 1), { lastModified }),
});

/** A pair of noise, of so many slices. */
export function pairEntries(folder: string, file: number, slices: number, modifiedMs?: number): Entry[] {
  const { i, q } = noise(file + 1, slices * BINS);
  return [
    entry(`${folder}/${pairFileName('i', file)}`, bytesOf(i), modifiedMs),
    entry(`${folder}/${pairFileName('q', file)}`, bytesOf(q), modifiedMs),
  ];
}

/** The browser does not give the file out any more when it is to be read; of a stream it says nothing but that. */
export function failing({ path, file }: Entry, name: string): Entry {
  const stream = (): ReadableStream =>
    new ReadableStream({ pull: (controller) => controller.error(new TypeError('network error')) });
  const arrayBuffer = () => Promise.reject(new DOMException('no more', name));
  return {
    path,
    file: Object.assign(file, { slice: () => Object.assign(new Blob(), { stream, arrayBuffer }) }),
  };
}

export interface Told {
  readonly session: OfflineSession;
  readonly statuses: OfflineStatus[];
  readonly measured: MeasuredFile[];
  problems: readonly PlainProblem[];
  readonly looks: SpectrumFrame[];
  readonly rows: SpectrumFrame[];
  readonly troubles: string[];
}

/** @param onMeasured called while the others wait */
export function newSession(
  onMeasured: (told: Told) => void = () => {},
  createEngine: (options: ChooseOptions) => Promise<SpectrumEngine> = (options) =>
    createCpuEngine({ ...options, workers: 0 }),
): Told {
  const session = new OfflineSession({
    createEngine,
    events: {
      status: (status) => void told.statuses.push(status),
      engine: (_, trouble) => void (trouble !== null && told.troubles.push(trouble)),
      problems: (problems) => {
        told.problems = problems;
      },
      measured: (file) => {
        told.measured.push(file);
        onMeasured(told);
      },
      look: (spectrum) => void told.looks.push(spectrum),
      file: (spectrum) => void told.rows.push(spectrum),
    },
  });
  const told: Told = {
    session,
    statuses: [],
    measured: [],
    problems: [],
    looks: [],
    rows: [],
    troubles: [],
  };
  return told;
}
