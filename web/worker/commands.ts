/**
 * Commands of an operator on their way: each has an id, and is sent again with it over every new connection, until a
 * bridge has decided. Which bridge, and how often it has heard of it, makes no difference.
 *
 * After a minute nobody waits any more, and what was a click then would be a surprise: it is given up.
 */
import type { ClientMessage } from '../../bridge/protocol/control.ts';
import type { CommandOutcome, CommandRefusal, OperatorCommand } from '../../bridge/protocol/operator.ts';

export type NewCommand = Omit<OperatorCommand, 'id'>;

export interface CommandTiming {
  readonly giveUpMs: number;
  /** Before a bridge that could not decide is asked again. */
  readonly againMs: number;
}

const TIMING: CommandTiming = { giveUpMs: 60_000, againMs: 1_000 };

/** Another bridge decides, or the same one in a moment. */
const PASSING: ReadonlySet<CommandRefusal> = new Set(['standby', 'unavailable', 'busy']);

const ID_BYTES = 16;

interface Waiting {
  readonly command: OperatorCommand;
  readonly resolve: (outcome: CommandOutcome) => void;
  readonly giveUp: ReturnType<typeof setTimeout>;
  again: ReturnType<typeof setTimeout> | undefined;
  /** What the last bridge said; null: nothing yet. */
  heard: string | null;
}

export class Commands {
  readonly #timing: CommandTiming;
  readonly #waiting = new Map<string, Waiting>();
  #send: ((message: ClientMessage) => void) | null = null;

  constructor(timing = TIMING) {
    this.#timing = timing;
  }

  /** Resolves when it is decided, or given up. */
  add(command: NewCommand): Promise<CommandOutcome> {
    return new Promise((resolve) => {
      const id = newId();
      const giveUp = setTimeout(() => this.#giveUp(id), this.#timing.giveUpMs);
      this.#waiting.set(id, { command: { ...command, id }, resolve, giveUp, again: undefined, heard: null });
      this.#ask(id);
    });
  }

  /** A bridge has welcomed us. */
  attach(send: (message: ClientMessage) => void): void {
    this.#send = send;
    for (const id of this.#waiting.keys()) this.#ask(id);
  }

  detach(): void {
    this.#send = null;
  }

  decided(id: string, outcome: CommandOutcome): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    if (outcome.outcome === 'refused' && PASSING.has(outcome.code)) {
      waiting.heard = outcome.message;
      clearTimeout(waiting.again);
      waiting.again = setTimeout(() => this.#ask(id), this.#timing.againMs);
      return;
    }
    this.#end(id, outcome);
  }

  stop(): void {
    for (const id of this.#waiting.keys()) this.#giveUp(id);
  }

  #ask(id: string): void {
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) this.#send?.({ type: 'command', command: waiting.command });
  }

  #giveUp(id: string): void {
    const heard = this.#waiting.get(id)?.heard ?? null;
    const message = `no bridge has decided${heard === null ? '' : ` (${heard})`}: the log of the run tells whether it was done`;
    this.#end(id, { outcome: 'refused', code: 'unavailable', message });
  }

  #end(id: string, outcome: CommandOutcome): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.giveUp);
    clearTimeout(waiting.again);
    waiting.resolve(outcome);
  }
}

/** By hand, because `randomUUID` is missing on insecure pages. */
const newId = (): string =>
  [...crypto.getRandomValues(new Uint8Array(ID_BYTES))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
