/**
 * What an operator's command does to the runs. Synchronous: whatever it changes is in the next progress record, all of
 * it or nothing.
 */
import type { CommandOutcome, CommandRefusal, OperatorCommand } from '../protocol/operator.ts';
import {
  ANNOTATIONS_PER_RUN,
  type Operations,
  type ReceivedCommand,
  type RunAnnotation,
} from './operations.ts';
import type { Runs } from './runs.ts';

export interface Operated {
  readonly runs: Runs;
  readonly operations: Operations;
  /** First number of a sender's run that no file in hand has. */
  readonly nextFile: (run: string) => number;
}

const refused = (code: CommandRefusal, message: string): CommandOutcome => ({
  outcome: 'refused',
  code,
  message,
});

/** Done once, however often it comes. */
export function operate(command: ReceivedCommand, on: Operated): CommandOutcome {
  const { runs, operations } = on;
  const known = operations.known(command.id);
  if (known !== null) return known;
  const { current } = runs;
  if (command.run !== current) {
    return refused('other-run', `this was meant for ${command.run}, but the run is ${current} now`);
  }
  const { action } = command;
  switch (action.kind) {
    case 'new-run':
      return newRun(command, action.name, on);
    case 'reset':
      return reset(command, on);
    case 'annotate':
      return annotate(command, annotationOf(command, action), operations);
    case 'remove': {
      const removed = operations.remove(current, action.annotation);
      if (removed === null) return refused('unknown-annotation', `${current} has no such annotation`);
      return operations.record(command, `removed the annotation «${removed.text}» from ${current}`);
    }
  }
}

function newRun(command: ReceivedCommand, name: string, { runs, operations, nextFile }: Operated) {
  const { current, source } = runs;
  if (runs.get(current) === null) {
    return refused('no-data', `nothing has been published yet: ${current} begins with the first file`);
  }
  if (runs.isTaken(name)) return refused('run-exists', `a run ${name} exists already: choose another name`);
  const from = nextFile(source);
  runs.beginTitle(name, from);
  return operations.record(command, `began run ${name} with file ${from}, after ${current}`);
}

/** The files stay published, so what comes again of them is still told. */
function reset(command: ReceivedCommand, { runs, operations }: Operated): CommandOutcome {
  const run = runs.get(runs.current);
  if (run === null || run.averaged === 0) {
    return refused('nothing-to-reset', `the average of ${runs.current} holds no file yet`);
  }
  const { name, averaged } = run;
  runs.resetAverage(run, Date.parse(command.utc));
  return operations.record(
    command,
    `reset the average of ${name}, which held ${averaged === 1 ? '1 file' : `${averaged} files`}`,
  );
}

function annotationOf(
  { id, run, author, utc }: ReceivedCommand,
  { at, text }: Extract<OperatorCommand['action'], { kind: 'annotate' }>,
): RunAnnotation {
  return { id, run, at, text, author, madeUtc: utc };
}

function annotate(command: ReceivedCommand, annotation: RunAnnotation, operations: Operations) {
  if (!operations.annotate(annotation)) {
    const message = `${annotation.run} has ${ANNOTATIONS_PER_RUN} annotations, which is the limit: remove one first`;
    return refused('too-many', message);
  }
  return operations.record(command, `annotated ${annotation.run}: «${annotation.text}»`);
}
