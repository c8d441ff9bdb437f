/** Spectra as viewers get them: newest snapshot of each trace, and who wants to hear of newer ones. */
import { type Geometry, publishedPowerScale } from './protocol/geometry.ts';
import { type SpectrumMoments, sampleStd } from './protocol/moments.ts';
import type { Trace } from './protocol/frames.ts';
import type { SpectrumSnapshot } from './server/source.ts';

/** The file in progress is shown at most this often. */
const PROGRESS_EVERY_MS = 100;

export type SnapshotFacts = Omit<SpectrumSnapshot, 'trace' | 'mean' | 'std' | 'slices' | 'time'>;

export class View {
  readonly #geometry: Geometry;
  readonly #newest = new Map<Trace, SpectrumSnapshot>();
  readonly #listeners = new Set<(snapshot: SpectrumSnapshot) => void>();
  #progressShownMs = -Infinity;

  constructor(geometry: Geometry) {
    this.#geometry = geometry;
  }

  /** What is of another run, and the average where there is none any more, is shown to nobody who comes. */
  keep(run: string, hasAverage: boolean): void {
    for (const [trace, snapshot] of this.#newest) {
      if (snapshot.run !== run || (trace === 'run' && !hasAverage)) this.#newest.delete(trace);
    }
  }

  snapshots(): readonly SpectrumSnapshot[] {
    return [...this.#newest.values()];
  }

  onSpectrum(listener: (snapshot: SpectrumSnapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  show(trace: 'latest' | 'run', facts: SnapshotFacts, moments: SpectrumMoments): void {
    this.#show(trace, facts, moments);
  }

  /** The file in progress; left out when one was shown just before. */
  showProgress(facts: SnapshotFacts, moments: SpectrumMoments, nowMs: number): void {
    if (nowMs - this.#progressShownMs < PROGRESS_EVERY_MS) return;
    this.#progressShownMs = nowMs;
    this.#show('progress', facts, moments);
  }

  #show(trace: Trace, facts: SnapshotFacts, moments: SpectrumMoments): void {
    const scale = publishedPowerScale(this.#geometry);
    const mean = Float32Array.from(moments.mean, (power) => power * scale);
    const std = mean.map((_, bin) => sampleStd(moments, bin) * scale);
    const snapshot = { ...facts, trace, slices: moments.count, time: { ...moments.time }, mean, std };
    this.#newest.set(trace, snapshot);
    for (const listener of this.#listeners) listener(snapshot);
  }
}
