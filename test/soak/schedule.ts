/** Which faults come in which order, drawn from the seed before anything begins. */
import { Random } from './random.ts';

/**
 * - `kill`, `stop`, `term`: SIGKILL, SIGSTOP for a while, SIGTERM; what ends is started again
 * - `reload`, `close`: of the page that computes; a closed one is opened again
 * - `latency`, `reset`, `black hole`, `lost answer`: between the bridges and the broker
 * - `shuffled`, `rubbish`: what another sender writes into the topic
 */
export const KINDS = [
  'kill bridge',
  'stop bridge',
  'term bridge',
  'kill broker',
  'stop broker',
  'term broker',
  'kill processor',
  'stop processor',
  'term processor',
  'kill producer',
  'reload page',
  'close page',
  'latency',
  'reset',
  'black hole',
  'lost answer',
  'shuffled',
  'rubbish',
] as const;
export type Kind = (typeof KINDS)[number];

export interface Fault {
  readonly kind: Kind;
  /** How long it lasts, where that is up to us. */
  readonly lastsMs: number;
  /** Of quiet before it. */
  readonly afterMs: number;
  /** Which of several it hits, and other choices of its own. */
  readonly seed: number;
}

/** More than a minute has room for: the time decides how many come. */
const PER_MINUTE = 40;
const LASTS_MS = [500, 5_000] as const;
const AFTER_MS = [200, 2_000] as const;

export function scheduleOf(seed: number, minutes: number): readonly Fault[] {
  const random = new Random(seed);
  const count = Math.ceil(PER_MINUTE * minutes);
  const faults: Fault[] = [];
  // In shuffled rounds, so that a short run has seen many kinds and a long one all.
  while (faults.length < count)
    for (const kind of random.shuffled(KINDS))
      faults.push({
        kind,
        lastsMs: Math.round(random.between(...LASTS_MS)),
        afterMs: Math.round(random.between(...AFTER_MS)),
        seed: random.below(2 ** 31),
      });
  return faults;
}

export const describe = ({ kind, lastsMs, afterMs }: Fault): string =>
  `after ${afterMs} ms: ${kind}, ${lastsMs} ms`;
