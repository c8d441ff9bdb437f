/**
 * Schemas of the state and its parts, for whoever receives them. Unknown keys are dropped, so that a bridge may
 * say more than a page knows of.
 */
import * as v from 'valibot';
import type { Geometry } from './geometry.ts';
import { annotationSchema, operationEntrySchema } from './operator.ts';
import type { BridgeState, EngineSummary } from './state.ts';

const text = v.string();
const number = v.number();
const maybeText = v.nullable(text);

export const geometrySchema = v.object({
  bins: v.pipe(number, v.integer(), v.minValue(1)),
  sampleRateHz: v.pipe(number, v.gtValue(0)),
  loHz: number,
}) satisfies v.GenericSchema<unknown, Geometry>;

export const engineSummarySchema = v.object({
  kind: v.picklist(['gpu', 'wasm', 'ts']),
  name: v.pipe(text, v.maxLength(256)),
  why: v.pipe(text, v.maxLength(1024)),
}) satisfies v.GenericSchema<unknown, EngineSummary>;

const link = v.object({
  kind: v.picklist(['kafka', 'folder', 'simulator', 'embedded']),
  reachable: v.boolean(),
  trouble: maybeText,
});

const group = v.object({
  role: v.picklist(['active', 'standby']),
  partitions: v.array(number),
  peers: v.array(v.object({ urls: v.array(text), isActive: v.boolean() })),
});

const client = v.object({
  id: text,
  role: v.picklist(['processor', 'viewer']),
  headless: v.boolean(),
  engine: v.nullable(engineSummarySchema),
  blocksInFlight: number,
  blocksDone: number,
  msPerFile: v.nullable(number),
});

export const bridgeStateSchema = v.object({
  software: text,
  protocol: number,
  utc: text,
  startedUtc: text,
  geometry: geometrySchema,
  input: link,
  output: link,
  group: v.nullable(group),
  run: v.object({
    name: text,
    filesDone: number,
    slicesDone: number,
    resetUtc: maybeText,
    firstUtc: maybeText,
    lastUtc: maybeText,
  }),
  lag: v.nullable(v.object({ files: number, seconds: number })),
  retention: v.nullable(
    v.object({
      hoursLeft: v.nullable(number),
      partitions: v.array(v.object({ partition: number, hoursLeft: v.nullable(number) })),
    }),
  ),
  current: v.nullable(v.object({ file: number, slicesDone: number, slices: v.nullable(number) })),
  latest: v.nullable(v.object({ file: number, slices: number, publishedUtc: text })),
  newestDatumUtc: maybeText,
  headerless: v.boolean(),
  clients: v.array(client),
  rejected: v.record(text, number),
  incomplete: v.array(v.object({ run: text, file: number, missing: text, atUtc: text })),
  alarms: v.array(v.object({ code: text, message: text, count: number, sinceUtc: text, lastUtc: text })),
  annotations: v.array(annotationSchema),
  operations: v.array(operationEntrySchema),
}) satisfies v.GenericSchema<unknown, BridgeState>;
