/**
 * Spectra to one client, at the client's pace: at most two that it has not answered with `seen`; behind them
 * waits only the newest of each trace. So a slow client skips, and costs three references.
 */
import { MAX_UNSEEN_SPECTRA } from '../protocol/control.ts';
import { encodeSpectrum } from '../protocol/frames/spectrum.ts';
import type { Trace } from '../protocol/frames.ts';
import type { SpectrumSnapshot } from './source.ts';

export class SpectrumFeed {
  readonly #send: (frame: Uint8Array) => void;
  /** In the order in which the traces first came; a newer snapshot keeps its trace's place. */
  readonly #waiting = new Map<Trace, SpectrumSnapshot>();
  #sent = 0;
  #seen = 0;

  constructor(send: (frame: Uint8Array) => void) {
    this.#send = send;
  }

  offer(snapshot: SpectrumSnapshot): void {
    this.#waiting.set(snapshot.trace, snapshot);
    this.#pump();
  }

  /** The client has seen everything up to this one. False where it was never sent. */
  seen(sequence: number): boolean {
    if (sequence < this.#seen || sequence > this.#sent) return false;
    this.#seen = sequence;
    this.#pump();
    return true;
  }

  #pump(): void {
    for (const [trace, snapshot] of this.#waiting) {
      if (this.#sent - this.#seen >= MAX_UNSEEN_SPECTRA) return;
      this.#waiting.delete(trace);
      this.#sent += 1;
      this.#send(encodeSpectrum({ ...snapshot, sequence: this.#sent }));
    }
  }
}
