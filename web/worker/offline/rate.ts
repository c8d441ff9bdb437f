/** Bytes per second of the last seconds, so that it follows when the disk or the machine changes its pace. */

const SPAN_MS = 10_000;
/** Before so long no figure is worth showing. */
const LEAST_MS = 300;
/** Least time between two points that are kept. */
const STEP_MS = 100;

export class Rate {
  #points: { readonly atMs: number; readonly bytes: number }[] = [];

  /** @param bytes since the beginning */
  reached(bytes: number, atMs: number): void {
    const points = this.#points;
    const before = points.at(-2);
    if (before !== undefined && atMs - before.atMs < STEP_MS) points.pop();
    points.push({ atMs, bytes });
    while (points.length > 2 && atMs - (points[1]?.atMs ?? atMs) > SPAN_MS) points.shift();
  }

  get bytesPerSecond(): number | null {
    const [first] = this.#points;
    const last = this.#points.at(-1);
    if (first === undefined || last === undefined || last.atMs - first.atMs < LEAST_MS) return null;
    return (1000 * (last.bytes - first.bytes)) / (last.atMs - first.atMs);
  }
}
