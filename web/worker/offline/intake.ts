/**
 * Everything that has been dropped, and what of it can be measured. Looked at anew after every drop, because a file
 * of today may be the other half of one of yesterday.
 */
import { DEFAULT_LO_HZ, DEFAULT_SAMPLE_RATE_HZ, type Geometry } from '../../../bridge/protocol/geometry.ts';
import { FileProblem } from '../../../bridge/protocol/pairs.ts';
import { isGivenRunName } from '../../../bridge/protocol/run-name.ts';
import { type ByteSource, readAll } from '../../../bridge/protocol/source.ts';
import type { WindowName } from '../../../bridge/protocol/window.ts';
import { FileSource } from '../../offline/browser/file-source.ts';
import type { Found, OfflineSettings, PlainProblem } from '../../offline/browser/types.ts';
import { makeCatalogue } from '../../offline/catalogue.ts';
import { axisDifference, commonGeometry } from '../../offline/common-geometry.ts';
import type { Recording } from '../../offline/recording.ts';
import { parseSaved, type SavedSpectrum } from '../../offline/saved.ts';

/** Name of a run that nothing names. */
const NAMELESS = 'offline';

/** What all spectra of a sum have in common. */
export interface Common {
  readonly run: string;
  readonly geometry: Geometry;
  readonly window: WindowName;
}

/** A file with spectra of an earlier analysis. */
export interface SavedFile {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly spectra: readonly SavedSpectrum[];
}

/** What there is to measure and to merge. */
export interface Looked {
  readonly common: Common;
  /** On that geometry's axis. */
  readonly recordings: readonly Recording[];
  /** Those on other axes as well. */
  readonly all: readonly Recording[];
  readonly saved: readonly SavedFile[];
  readonly problems: readonly FileProblem[];
  readonly ignored: number;
}

/** What makes a file the same one as before, after a reload as well. */
export const identityOf = ({ path, bytes, modifiedMs }: Pick<ByteSource, 'path' | 'bytes' | 'modifiedMs'>) =>
  `${path}\n${bytes}\n${modifiedMs}`;

export const asPlain = ({ code, file, reason }: FileProblem): PlainProblem => ({ code, path: file, reason });

const hasFolder = (path: string): boolean => path.includes('/');

export class Intake {
  readonly #sources = new Map<string, ByteSource>();
  readonly #unseen = new Map<string, PlainProblem>();

  add({ entries, problems }: Found): void {
    for (const entry of entries) this.#sources.set(entry.path, new FileSource(entry));
    for (const problem of problems) this.#unseen.set(problem.path, problem);
  }

  /** @param fixed what is measured already, which the others have to fit */
  async look(settings: OfflineSettings, fixed: Common | null): Promise<Looked> {
    const bins = fixed?.geometry.bins ?? settings.bins;
    const window = fixed?.window ?? settings.window;
    const { sampleRateHz, loHz } = settings;
    const sources = [...this.#sources.values()];
    const catalogue = await makeCatalogue(
      sources.filter(({ path }) => hasFolder(path)),
      sources.filter(({ path }) => !hasFolder(path)),
      bins,
      settings.untyped ?? null,
    );
    const usual = {
      bins,
      sampleRateHz: sampleRateHz ?? DEFAULT_SAMPLE_RATE_HZ,
      loHz: loHz ?? DEFAULT_LO_HZ,
    };
    const defaults = fixed?.geometry ?? usual;
    // A person speaks for recordings that say nothing; what they say of themselves counts.
    const said = { bins, sampleRateHz: null, loHz: null };
    const common = commonGeometry(catalogue.recordings, said, defaults, fixed?.geometry ?? null);
    const read = await readSaved(catalogue.saved, common.geometry);
    const [first] = read.saved.flatMap(({ spectra }) => spectra);
    const isOnlySaved = fixed === null && common.recordings.length === 0 && first !== undefined;
    const geometry = isOnlySaved ? first.geometry : common.geometry;
    const fitting = onlyFitting(read.saved, geometry, window);
    return {
      common: { run: fixed?.run ?? this.#runOf(settings), geometry, window },
      recordings: common.recordings,
      all: catalogue.recordings,
      saved: fitting.saved,
      problems: [
        ...[...this.#unseen.values()].map(({ code, path, reason }) => new FileProblem(code, path, reason)),
        ...catalogue.problems,
        ...common.problems,
        ...read.problems,
        ...fitting.problems,
      ],
      ignored: catalogue.ignored,
    };
  }

  /** As `analyze` names it: by the one folder that everything lies in. */
  #runOf({ run }: OfflineSettings): string {
    if (isGivenRunName(run)) return run;
    const folders = new Set<string>();
    for (const path of this.#sources.keys())
      folders.add(hasFolder(path) ? path.slice(0, path.indexOf('/')) : '');
    const [folder = ''] = folders;
    return folders.size === 1 && isGivenRunName(folder) ? folder : NAMELESS;
  }
}

interface ReadSaved {
  readonly saved: readonly SavedFile[];
  readonly problems: readonly FileProblem[];
}

async function readSaved(sources: readonly ByteSource[], axis: Geometry): Promise<ReadSaved> {
  const saved: SavedFile[] = [];
  const problems: FileProblem[] = [];
  for (const source of sources) {
    const { path, bytes, modifiedMs } = source;
    try {
      const text = new TextDecoder().decode(await readAll(source));
      saved.push({ path, bytes, modifiedMs, spectra: parseSaved(text, path, axis) });
    } catch (error) {
      if (!(error instanceof FileProblem)) throw error;
      problems.push(error);
    }
  }
  return { saved, problems };
}

/** A file counts as a whole: of one that fits in part it would not be known which part. */
function onlyFitting(saved: readonly SavedFile[], geometry: Geometry, window: WindowName): ReadSaved {
  const problems: FileProblem[] = [];
  const fitting = saved.filter(({ path, spectra }) => {
    const differences = spectra.map((one) => savedDifference(one, geometry, window));
    const difference = differences.find((each) => each !== null);
    if (difference == null) return true;
    problems.push(new FileProblem('other-geometry', path, difference));
    return false;
  });
  return { saved: fitting, problems };
}

const savedDifference = (one: SavedSpectrum, geometry: Geometry, window: WindowName): string | null =>
  axisDifference(one.geometry, geometry) ??
  (one.window === window ? null : `window ${one.window}, but the others have ${window}`);
