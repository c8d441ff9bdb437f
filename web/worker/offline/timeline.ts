/**
 * When each recording was made, for pictures against UTC. Copies often carry the time of the copying; their files
 * would all lie upon each other. One that begins before its predecessor in the same folder has ended is put behind it.
 */
import { folderOf } from '../../../bridge/protocol/source.ts';
import type { Recording } from '../../offline/recording.ts';

/** Times of modification are this rough, as a share of a file's length. */
const OVERLAP_SHARE = 0.5;

interface Stretch {
  readonly startMs: number;
  readonly endMs: number;
}

export class Timeline {
  readonly #last = new Map<string, Stretch & { readonly file: number | null }>();
  /** So many were moved. */
  displaced = 0;

  /** Where a recording is shown; to be asked in the order in which they are measured. */
  place({ path, file }: Pick<Recording, 'path' | 'file'>, { startMs, endMs }: Stretch): Stretch {
    const folder = folderOf(path);
    const before = this.#last.get(folder);
    const lengthMs = endMs - startMs;
    // Of a lower number that comes later nothing is known but its own time.
    const isNext = before !== undefined && (before.file ?? -1) <= (file ?? Infinity);
    const overlaps = isNext && startMs < before.endMs - OVERLAP_SHARE * lengthMs;
    if (overlaps) this.displaced += 1;
    const from = overlaps ? before.endMs : startMs;
    const placed = { startMs: from, endMs: from + lengthMs };
    this.#last.set(folder, { ...placed, file });
    return placed;
  }
}
