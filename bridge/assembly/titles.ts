/**
 * Titles: the names under which results are published, where an operator has begun a new run.
 *
 *   run of the sender   run404 ─────────────────┬──────────────────┬────────── (numbers go on)
 *   title               run404                  │ run405           │ run406
 *                                          from file 120      from file 348
 *
 * Which file a record belongs to, and whether it was published, is told by the sender's run, as if nobody had
 * intervened; a title is only the name of what comes out. So a new run needs no new rule for duplicates, gaps and
 * restarts, and the title of a file follows from its number alone: read again after a crash it is the same.
 *
 * A title belongs to one run of a sender. Otherwise two files of one number could come out under one name.
 */
import { nextRunName } from '../protocol/run-name.ts';
import type { FilePlace } from './numbering.ts';

/** From this file on, the results of a sender's run are published under this name. */
export interface Title {
  readonly run: string;
  readonly from: number;
  readonly name: string;
}

/** Titles that are kept, of all runs; older ones concern files that came long ago. */
export const TITLES_KEPT = 64;

export class Titles {
  /** In order of their making. */
  #titles: readonly Title[];

  constructor(known: readonly Title[]) {
    this.#titles = known;
  }

  list(): readonly Title[] {
    return this.#titles;
  }

  /**
   * Name under which a file's result is published.
   * @param isTaken whether a name is that of another run
   */
  of({ run, file }: FilePlace, isTaken: (name: string) => boolean): string {
    const title = this.#titles.findLast((each) => each.run === run && each.from <= file);
    if (title !== undefined) return title.name;
    return this.#isOthers(run, run) ? this.#freeBehind(run, isTaken) : run;
  }

  /** The sender's run whose results have this name. */
  runOf(name: string): string {
    return this.#titles.findLast((each) => each.name === name)?.run ?? name;
  }

  /** The last title of a sender's run; null where it is published under its own name. */
  lastOf(run: string): string | null {
    return this.#titles.findLast((each) => each.run === run)?.name ?? null;
  }

  isTitle(name: string): boolean {
    return this.#titles.some((each) => each.name === name);
  }

  begin(title: Title): void {
    const others = this.#titles.filter(({ run, from }) => run !== title.run || from < title.from);
    this.#titles = [...others, title].slice(-TITLES_KEPT);
  }

  /** The next continuation of a name that nothing else is called. */
  freeBehind(name: string, isTaken: (name: string) => boolean): string {
    return this.#freeBehind(name, isTaken);
  }

  #freeBehind(name: string, isTaken: (name: string) => boolean): string {
    let next = nextRunName(name);
    while (isTaken(next) || this.isTitle(next)) next = nextRunName(next);
    return next;
  }

  /** Whether a name is the title of another run than this. */
  #isOthers(name: string, run: string): boolean {
    return this.#titles.some((each) => each.name === name && each.run !== run);
  }
}
