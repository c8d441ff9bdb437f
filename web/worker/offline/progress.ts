/** How far the recordings are that were asked for: each, and all of them together. */
import { sliceBytes } from '../../../bridge/protocol/geometry.ts';
import type { OfflineStatus, RecordingInHand } from '../../offline/browser/types.ts';
import { type Recording, slicesOf } from '../../offline/recording.ts';
import { Rate } from './rate.ts';

type Figures = Pick<OfflineStatus, 'recordings' | 'bytes' | 'inHand' | 'bytesPerSecond' | 'secondsLeft'>;

export class Progress {
  #all = 0;
  #done = 0;
  #allBytes = 0;
  #doneBytes = 0;
  #rate = new Rate();
  readonly #inHand = new Map<Recording, number>();

  /** From rest: what was before is forgotten. */
  begin(nowMs: number): void {
    this.#all = 0;
    this.#done = 0;
    this.#allBytes = 0;
    this.#doneBytes = 0;
    this.#inHand.clear();
    this.#rate = new Rate();
    this.#rate.reached(0, nowMs);
  }

  ask(recordings: readonly Recording[]): void {
    this.#all += recordings.length;
    this.#allBytes += bytesOf(recordings);
  }

  /** They will not be looked at after all. */
  drop(recordings: readonly Recording[]): void {
    this.#all -= recordings.length;
    this.#allBytes -= bytesOf(recordings);
    for (const recording of recordings) this.#inHand.delete(recording);
  }

  /** @param bytes more, counted as float32 */
  read(recording: Recording, bytes: number, bins: number, nowMs: number): void {
    const share = bytes / (slicesOf(recording, bins) * sliceBytes(bins));
    const before = this.#inHand.get(recording) ?? 0;
    // Read a second time, after a worker has ended, it does not become more.
    this.#inHand.set(recording, Math.min(recording.bytes, before + share * recording.bytes));
    this.#rate.reached(this.#readBytes(), nowMs);
  }

  /** It is in the sum, or has a problem. */
  finish(recording: Recording, nowMs: number): void {
    this.#inHand.delete(recording);
    this.#done += 1;
    this.#doneBytes += recording.bytes;
    this.#rate.reached(this.#readBytes(), nowMs);
  }

  figures(): Figures {
    const readBytes = this.#readBytes();
    const { bytesPerSecond } = this.#rate;
    return {
      recordings: { done: this.#done, all: this.#all },
      bytes: { done: readBytes, all: this.#allBytes },
      inHand: [...this.#inHand].map(([{ path, bytes }, read]): RecordingInHand => {
        return { path, bytes, readBytes: read };
      }),
      bytesPerSecond,
      secondsLeft: bytesPerSecond === null ? null : (this.#allBytes - readBytes) / bytesPerSecond,
    };
  }

  #readBytes(): number {
    return [...this.#inHand.values()].reduce((sum, bytes) => sum + bytes, this.#doneBytes);
  }
}

const bytesOf = (recordings: readonly Recording[]): number =>
  recordings.reduce((sum, { bytes }) => sum + bytes, 0);
