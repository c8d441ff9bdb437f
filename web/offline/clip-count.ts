/**
 * Clipped samples of one recording: those at its largest |x|, unless recordings before it have shown a larger one.
 *
 * The largest is known only when all has been read. Until then the engine counts at the largest so far; blocks that
 * reach the final level and were counted at another one are read once more. Of noise that is a block or two, and of
 * a recording that clips throughout its first few.
 */
import { clipLevelOf, peakOf } from '../../bridge/protocol/clipping.ts';
import type { TimeSums } from '../../bridge/protocol/moments.ts';
import { BlockReader, type Piece, type Recording } from './recording.ts';

interface Counted {
  readonly piece: Piece;
  readonly clipLevel: number;
  readonly peak: number;
  readonly clipped: number;
}

export class ClipCount {
  /** In the order of the recording; only those that may still count. */
  #blocks: Counted[] = [];
  #peak: number;

  /** @param peak largest |x| of the recordings before; 0 where there are none */
  constructor(peak: number) {
    this.#peak = peak;
  }

  /** For the next block. */
  get clipLevel(): number {
    return clipLevelOf(this.#peak);
  }

  /** A block that was counted at this level. */
  add(piece: Piece, clipLevel: number, time: TimeSums): void {
    const peak = peakOf(time);
    this.#peak = Math.max(this.#peak, peak);
    this.#blocks.push({ piece, clipLevel, peak, clipped: time.clipped });
    if (peak === this.#peak) this.#blocks = this.#blocks.filter((block) => block.peak >= this.clipLevel);
  }

  /** @throws {FileProblem} `unreadable`, `changed` */
  async total(recording: Recording, bins: number): Promise<number> {
    const level = this.clipLevel;
    const reaching = this.#blocks.filter(({ peak }) => peak >= level);
    const isCounted = ({ clipLevel }: Counted): boolean => clipLevel === level;
    const again = reaching.filter((block) => !isCounted(block)).map(({ piece }) => piece);
    const sure = reaching.filter(isCounted).reduce((sum, { clipped }) => sum + clipped, 0);
    return again.length === 0 ? sure : sure + (await countAgain(recording, bins, again, level));
  }
}

async function countAgain(
  recording: Recording,
  bins: number,
  pieces: readonly Piece[],
  level: number,
): Promise<number> {
  const reader = await BlockReader.open(recording, bins);
  let clipped = 0;
  try {
    for (const piece of pieces)
      for (const x of await reader.again(piece)) if (Math.abs(x) >= level) clipped++;
  } finally {
    await reader.close();
  }
  return clipped;
}
