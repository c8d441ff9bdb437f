/** What a person should know: each code once with its newest message, counted while it repeats. */
import type { Logger } from './logger.ts';
import type { Alarm } from './protocol/state.ts';

/** Alarms shown; the oldest leave first. */
const SHOWN = 50;

/** Of a repeating alarm the first few lines are logged, then every thousandth: a flood must not fill the disk. */
const LOGGED_IN_FULL = 20;
const LOGGED_EVERY = 1000;

export class Alarms {
  readonly #logger: Logger;
  readonly #alarms = new Map<string, Alarm>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  raise(code: string, message: string, where: Readonly<Record<string, unknown>> = {}): void {
    const now = new Date().toISOString();
    const before = this.#alarms.get(code);
    const count = (before?.count ?? 0) + 1;
    this.#alarms.delete(code);
    this.#alarms.set(code, { code, message, count, sinceUtc: before?.sinceUtc ?? now, lastUtc: now });
    if (count <= LOGGED_IN_FULL || count % LOGGED_EVERY === 0) {
      this.#logger.warn({ alarm: code, count, ...where }, message);
    }
    const [oldest] = this.#alarms.keys();
    if (this.#alarms.size > SHOWN && oldest !== undefined) this.#alarms.delete(oldest);
  }

  list(): readonly Alarm[] {
    return [...this.#alarms.values()];
  }
}
