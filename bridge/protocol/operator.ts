/**
 * Operators: what people with the token may do to a run, and how it is answered.
 *
 *   command(id, run, author, action) ─▶ bridge ─▶ decided(id, outcome)
 *
 * A command carries an id of its own. It is written with what follows from it, so that a command that is repeated
 * (a second click, a connection that was lost before the answer) is answered again and done once. It names the run
 * that the person was looking at: what was meant for one run is never done to the next.
 *
 * Lengths of texts are in UTF-16 code units, as a browser's `maxlength` counts them.
 */
import * as v from 'valibot';
import { isGivenRunName, isRunName, MAX_RUN_NAME_LENGTH } from './run-name.ts';

export const MAX_ANNOTATION_TEXT = 200;
export const MAX_AUTHOR = 40;

/** What an annotation stands at: a frequency in Hz, absolute, or a moment in Unix milliseconds. */
export type AnnotationPlace =
  | { readonly kind: 'frequency'; readonly hz: number }
  | { readonly kind: 'moment'; readonly utcMs: number };

export interface Annotation {
  /** That of the command that made it. */
  readonly id: string;
  readonly at: AnnotationPlace;
  readonly text: string;
  /** Empty where nobody said. */
  readonly author: string;
  /** When it was made, RFC 3339. */
  readonly madeUtc: string;
}

export type OperatorAction =
  /** Files from the next one on belong to a run of this name. */
  | { readonly kind: 'new-run'; readonly name: string }
  /** The run-wide average begins anew. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'annotate'; readonly at: AnnotationPlace; readonly text: string }
  | { readonly kind: 'remove'; readonly annotation: string };

export interface OperatorCommand {
  readonly id: string;
  /** The run that it is meant for. */
  readonly run: string;
  readonly author: string;
  readonly action: OperatorAction;
}

/**
 * Closed list of why a command is not done.
 * - `not-operator`: whoever asks has not shown the token
 * - `other-run`: the run that it was meant for is not the current one
 * - `run-exists`: a run of this name is known already
 * - `no-data`: nothing has been published yet, so there is no run to end
 * - `nothing-to-reset`: the average holds no file
 * - `too-many`: the run has as many annotations as are kept
 * - `unknown-annotation`: there is none of this id
 * - `scale-out`: bridges share the work, and none of them could decide for all
 * - `standby`: another bridge is active and decides
 * - `busy`: too many commands wait
 * - `unavailable`: the output did not take it; whether it took effect is not known, and the same command may be sent again
 */
export const COMMAND_REFUSALS = [
  'not-operator',
  'other-run',
  'run-exists',
  'no-data',
  'nothing-to-reset',
  'too-many',
  'unknown-annotation',
  'scale-out',
  'standby',
  'busy',
  'unavailable',
] as const;
export type CommandRefusal = (typeof COMMAND_REFUSALS)[number];

export type CommandOutcome =
  | { readonly outcome: 'done'; readonly message: string }
  | { readonly outcome: 'refused'; readonly code: CommandRefusal; readonly message: string };

/** One line of the log of operators. */
export interface OperationEntry {
  readonly id: string;
  readonly utc: string;
  readonly who: string;
  readonly what: string;
}

const textUpTo = (most: number) => v.pipe(v.string(), v.maxLength(most));

/** Without what ends lines, and without the two characters that YAML, and so ECSV, does not take. */
const ONE_LINE = v.regex(/^[^\p{Cc}\p{Zl}\p{Zp}\uFFFE\uFFFF]*$/u, 'one line of text');

/** One line that says something. */
export const annotationText = v.pipe(textUpTo(MAX_ANNOTATION_TEXT), ONE_LINE, v.regex(/\S/u, 'some text'));
export const authorText = v.pipe(textUpTo(MAX_AUTHOR), ONE_LINE);

/** Ids are made by those who ask; 128 random bits as hex with dashes fit. */
export const commandId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9-]{8,64}$/, 'an id of 8 to 64 letters'));

/** What a `Date` can hold, ECMA-262 §21.4.1.1. */
const MAX_DATE_MS = 8.64e15;

export const annotationPlace = v.variant('kind', [
  v.strictObject({ kind: v.literal('frequency'), hz: v.pipe(v.number(), v.finite()) }),
  v.strictObject({
    kind: v.literal('moment'),
    utcMs: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_DATE_MS)),
  }),
]) satisfies v.GenericSchema<unknown, AnnotationPlace>;

const knownRun = v.pipe(textUpTo(MAX_RUN_NAME_LENGTH), v.check(isRunName, 'no name of a run'));
const givenRun = v.pipe(v.string(), v.check(isGivenRunName, 'no name for a run'));

export const operatorCommandSchema = v.strictObject({
  id: commandId,
  run: knownRun,
  author: authorText,
  action: v.variant('kind', [
    v.strictObject({ kind: v.literal('new-run'), name: givenRun }),
    v.strictObject({ kind: v.literal('reset') }),
    v.strictObject({ kind: v.literal('annotate'), at: annotationPlace, text: annotationText }),
    v.strictObject({ kind: v.literal('remove'), annotation: commandId }),
  ]),
}) satisfies v.GenericSchema<unknown, OperatorCommand>;

export const commandOutcomeSchema = v.variant('outcome', [
  v.object({ outcome: v.literal('done'), message: v.string() }),
  v.object({ outcome: v.literal('refused'), code: v.picklist(COMMAND_REFUSALS), message: v.string() }),
]) satisfies v.GenericSchema<unknown, CommandOutcome>;

export const annotationSchema = v.object({
  id: commandId,
  at: annotationPlace,
  text: annotationText,
  author: authorText,
  madeUtc: v.string(),
}) satisfies v.GenericSchema<unknown, Annotation>;

export const operationEntrySchema = v.object({
  id: commandId,
  utc: v.string(),
  who: v.string(),
  what: v.string(),
}) satisfies v.GenericSchema<unknown, OperationEntry>;
