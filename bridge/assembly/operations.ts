/**
 * What operators did: the log of their commands, and the annotations that they left. Kept in the progress record, so
 * it is written in one atom with what follows from it, and is there after a crash and at the bridge that takes over.
 */
import type { Annotation, CommandOutcome, OperationEntry, OperatorCommand } from '../protocol/operator.ts';

/** Commands that are remembered: to answer one that is repeated, and to be read by people. */
export const OPERATIONS_KEPT = 50;
/** Annotations of one run. */
export const ANNOTATIONS_PER_RUN = 64;
/** Annotations of all runs; beyond it those of the oldest run go, whose average has left memory long ago. */
export const ANNOTATIONS_KEPT = 128;

export interface RunAnnotation extends Annotation {
  readonly run: string;
}

/** As it is in the progress. */
export interface OperationsProgress {
  /** Oldest first. */
  readonly log: readonly OperationEntry[];
  /** Oldest first. */
  readonly annotations: readonly RunAnnotation[];
}

export const NO_OPERATIONS: OperationsProgress = { log: [], annotations: [] };

/** A command as it reached the bridge. */
export interface ReceivedCommand extends OperatorCommand {
  /** Author, or from where it came. */
  readonly who: string;
  /** When it came, RFC 3339. */
  readonly utc: string;
}

export const done = (message: string): CommandOutcome => ({ outcome: 'done', message });

export class Operations {
  #log: readonly OperationEntry[];
  #annotations: readonly RunAnnotation[];

  constructor(known: OperationsProgress) {
    this.#log = known.log;
    this.#annotations = known.annotations;
  }

  toProgress(): OperationsProgress {
    return { log: this.#log, annotations: this.#annotations };
  }

  /** What was answered to this command; null where it is new. */
  known(id: string): CommandOutcome | null {
    const entry = this.#log.find((each) => each.id === id);
    return entry === undefined ? null : done(entry.what);
  }

  /** The command has been done; what that was is its answer. */
  record({ id, utc, who }: ReceivedCommand, what: string): CommandOutcome {
    this.#log = [...this.#log, { id, utc, who, what }].slice(-OPERATIONS_KEPT);
    return done(what);
  }

  annotationsOf(run: string): readonly RunAnnotation[] {
    return this.#annotations.filter((each) => each.run === run);
  }

  /** @returns false where the run has as many as are kept */
  annotate(annotation: RunAnnotation): boolean {
    if (this.annotationsOf(annotation.run).length >= ANNOTATIONS_PER_RUN) return false;
    const all = [...this.#annotations, annotation];
    const oldest = all.find(({ run }) => run !== annotation.run)?.run;
    const isForgotten = ({ run }: RunAnnotation): boolean => all.length > ANNOTATIONS_KEPT && run === oldest;
    this.#annotations = all.filter((each) => !isForgotten(each));
    return true;
  }

  /** @returns what was removed; null where there is none of this id */
  remove(run: string, id: string): RunAnnotation | null {
    const found = this.annotationsOf(run).find((each) => each.id === id) ?? null;
    this.#annotations = this.#annotations.filter((each) => each !== found);
    return found;
  }
}
