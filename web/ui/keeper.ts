/**
 * Keeper: the page's worker, kept alive. One that fails, or does not answer any more, is ended and begun anew; all
 * that it knew comes again from the bridge.
 *
 * The worker is asked once per turn, and turns are counted instead of seconds: a hidden tab whose timers are throttled
 * turns rarely, and one that the browser froze does not turn at all, while a worker that lives answers at once.
 */

/** One life of the worker. */
export interface WorkerLife {
  /** Resolves when the worker has answered. */
  ask(): Promise<unknown>;
  end(): void;
}

interface KeeperOptions {
  /** @param failed to be called when the worker says itself that it is of no use any more */
  begin(failed: (reason: string) => void): WorkerLife;
  /** A life is over, and the next one begins soon. */
  ended(reason: string): void;
}

const TURN_MS = 1_000;
/** Nothing that the worker computes takes longer than a tenth of a second; the rest is for a machine that swaps. */
const HANG_TURNS = 20;
const FIRST_PAUSE_MS = 500;
/** A script that cannot be loaded because the bridge is away can be once it is back. */
const LONGEST_PAUSE_MS = 10_000;

/** @returns ends the worker, for good */
export function keepWorker(options: KeeperOptions): () => void {
  let life: WorkerLife | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  let unanswered = 0;

  function begin(): void {
    unanswered = 0;
    const own = options.begin((reason) => {
      if (life === own) over(reason);
    });
    life = own;
  }

  function over(reason: string): void {
    life?.end();
    life = null;
    options.ended(reason);
    timer = setTimeout(begin, pauseMs);
    pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs);
  }

  function turn(): void {
    const asked = life;
    if (asked === null) return;
    if (unanswered >= HANG_TURNS) return over(`it has not answered for ${HANG_TURNS} s`);
    unanswered += 1;
    if (unanswered > 1) return;
    void asked.ask().then(() => {
      if (life !== asked) return;
      unanswered = 0;
      pauseMs = FIRST_PAUSE_MS;
    });
  }

  begin();
  const turns = setInterval(turn, TURN_MS);
  return () => {
    clearInterval(turns);
    clearTimeout(timer);
    life?.end();
    life = null;
  };
}
