/**
 * Operators at this bridge: whether it is the one to decide, and what has been committed of their commands.
 *
 * A command is decided where the progress is written, so by the bridge that is active, between two files. Where bridges
 * share the work each partition has a progress of its own, and a run would begin here and not there: such bridges
 * refuse.
 */
import { NO_OPERATIONS, type OperationsProgress, type RunAnnotation } from './assembly/operations.ts';
import { LogError } from './log/port.ts';
import type { Logger } from './logger.ts';
import type { CommandOutcome, CommandRefusal, OperationEntry, OperatorCommand } from './protocol/operator.ts';
import type { Shares } from './shares.ts';

/** Commands that may wait for the output at once; people are slower. */
const MOST_WAITING = 32;

export interface OperatorsOptions {
  readonly shares: Shares;
  /** Another bridge of the group is active. */
  readonly isStandby: () => boolean;
  readonly logger: Logger;
}

const refused = (code: CommandRefusal, message: string): CommandOutcome => ({
  outcome: 'refused',
  code,
  message,
});

export class Operators {
  readonly #options: OperatorsOptions;
  #committed: OperationsProgress = NO_OPERATIONS;
  #waiting = 0;

  constructor(options: OperatorsOptions) {
    this.#options = options;
  }

  /** The last commands, oldest first. */
  log(): readonly OperationEntry[] {
    return this.#committed.log;
  }

  annotationsOf(run: string): readonly RunAnnotation[] {
    return this.#committed.annotations.filter((each) => each.run === run);
  }

  /** A progress was committed, or the bridge goes on from one. */
  restore(): void {
    this.#committed = this.#options.shares.operations() ?? this.#committed;
  }

  /** @param from where the command comes from, for a command whose author did not say who it is */
  async operate(command: OperatorCommand, from: string): Promise<CommandOutcome> {
    const who = command.author === '' ? from : command.author;
    const outcome = this.#obstacle() ?? (await this.#decide(command, who));
    const { id, run, action } = command;
    this.#options.logger.info({ command: id, run, action, who, from, ...outcome }, 'operator');
    return outcome;
  }

  #obstacle(): CommandOutcome | null {
    const { shares, isStandby } = this.#options;
    if (shares.isSharing) {
      return refused(
        'scale-out',
        'bridges with --scale-out decide each for its own partitions: name the run at the sender',
      );
    }
    if (isStandby()) return refused('standby', 'this bridge stands by: the active one decides');
    if (shares.isEmpty) return refused('unavailable', 'the bridge has no input now');
    return this.#waiting < MOST_WAITING ? null : refused('busy', 'too many commands wait for the output');
  }

  async #decide(command: OperatorCommand, who: string): Promise<CommandOutcome> {
    this.#waiting += 1;
    try {
      return await this.#options.shares.operate({ ...command, who, utc: new Date().toISOString() });
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      return refused(
        'unavailable',
        `whether it was done is not known (${error.message}): it can be asked again`,
      );
    } finally {
      this.#waiting -= 1;
    }
  }
}
