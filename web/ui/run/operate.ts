/**
 * What a person does to the run: asked of the bridge, and said when it is decided.
 */
import type { CommandOutcome, OperatorAction } from '../../../bridge/protocol/operator.ts';
import type { Model } from '../model/model.ts';

const AUTHOR_KEY = 'haloscope.author';

/** Who signs commands here; kept by the browser, since it is the same person tomorrow. */
export function keptAuthor(): string {
  try {
    return localStorage.getItem(AUTHOR_KEY) ?? '';
  } catch {
    return '';
  }
}

/** Storage can be forbidden; then the name lives as long as the form. */
export function keepAuthor(author: string): void {
  try {
    localStorage.setItem(AUTHOR_KEY, author);
  } catch {
    // Nothing to do: the caller has it in hand.
  }
}

/** @returns whether it was done; what became of it is said either way */
export async function operate(model: Model, action: OperatorAction): Promise<boolean> {
  const run = model.run.peek();
  const command = run === null ? null : { run, author: keptAuthor().trim(), action };
  const outcome = (command && (await model.requests.operate(command))) ?? NOBODY;
  model.message.value = sentence(outcome);
  return outcome.outcome === 'done';
}

const NOBODY: CommandOutcome = {
  outcome: 'refused',
  code: 'unavailable',
  message: 'there is no connection to a bridge',
};

/** Capital and full stop. */
const sentence = ({ outcome, message }: CommandOutcome): string =>
  `${outcome === 'done' ? 'Done: ' : 'Not done: '}${message}.`;
