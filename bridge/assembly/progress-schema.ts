/**
 * What the JSON of a progress record must be, in every version of it. The record comes from a topic or store that
 * others can write to, and everything that the bridge does next follows from it, so nothing in it is believed.
 */
import * as v from 'valibot';
import { isSupportedLength } from '../protocol/geometry.ts';
import { annotationSchema, operationEntrySchema } from '../protocol/operator.ts';
import { isGivenRunName, isRunName } from '../protocol/run-name.ts';

const index = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const runName = v.pipe(v.string(), v.check(isRunName, 'no name of a run'));
const number = v.pipe(v.number(), v.finite());

type ByName<T> = Readonly<Record<string, T>>;

/** By hand, because valibot's records leave out keys such as `constructor`, which are good names for runs. */
const byName = <T>(isKey: (key: string) => boolean, isValue: (value: unknown) => value is T) =>
  v.custom<ByName<T>>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Object.entries(value).every(([key, each]) => isKey(key) && isValue(each)),
    'not what belongs to names of runs',
  );

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isName = (value: unknown): value is string => typeof value === 'string' && isRunName(value);

/** JSON writes null for the infinities of empty sums. */
const sum = v.nullable(number);

const timeSums = v.object({
  samples: sum,
  minI: sum,
  maxI: sum,
  minQ: sum,
  maxQ: sum,
  clipped: sum,
  sumI: sum,
  sumQ: sum,
  sumII: sum,
  sumQQ: sum,
  sumIQ: sum,
});

const place = v.object({ run: runName, file: index });
const sentPlace = v.object({ run: runName, file: index, shift: v.pipe(v.number(), v.safeInteger()) });
const mark = v.object({ offset: index, identity: v.string() });

const partition = { partition: index, watermark: index, before: v.nullable(mark) };

const run = {
  name: runName,
  slices: index,
  firstUtcMs: v.nullable(number),
  lastUtcMs: v.nullable(number),
  lastFile: index,
  sums: v.nullable(v.object({ count: v.pipe(index, v.minValue(1)), time: timeSums })),
};

const numbering = { generations: byName(isGivenRunName, isCount), newestFile: byName(isRunName, isCount) };

const common = {
  bins: v.pipe(v.number(), v.check(isSupportedLength, 'no supported length')),
  incomplete: v.array(v.object({ run: runName, file: index, missing: v.string(), atUtc: v.string() })),
};

/** Version 1. */
export const firstProgressSchema = v.object({
  ...common,
  partitions: v.array(v.object({ ...partition, fileBefore: v.nullable(place) })),
  numbering: v.object(numbering),
  runs: v.array(v.object({ ...run, published: v.array(v.tuple([index, index])) })),
});

const later = {
  ...common,
  partitions: v.array(
    v.object({
      ...partition,
      fileBefore: v.nullable(sentPlace),
      runsBefore: byName(isGivenRunName, isName),
      readTo: v.nullable(index),
      readBefore: v.nullable(mark),
      switches: v.array(v.object({ offset: index, place })),
    }),
  ),
  numbering: v.object({ ...numbering, firstGenerations: byName(isGivenRunName, isCount) }),
};

const sections = { ranges: index, contents: index, messages: index };

/** Version 2: lengths of sections instead of what is in them. */
export const secondProgressSchema = v.object({
  ...later,
  runs: v.array(v.object({ ...run, files: v.object({ ...sections, count: index }) })),
});

/** Version 3: and what operators did. */
export const progressSchema = v.object({
  ...later,
  runs: v.array(
    v.object({ ...run, averaged: index, resetUtcMs: v.nullable(number), files: v.object(sections) }),
  ),
  titles: v.array(v.object({ run: runName, from: index, name: runName })),
  operations: v.object({
    log: v.array(operationEntrySchema),
    annotations: v.array(v.object({ ...annotationSchema.entries, run: runName })),
  }),
});

export type SecondProgressJson = v.InferOutput<typeof secondProgressSchema>;
export type ProgressJson = v.InferOutput<typeof progressSchema>;
