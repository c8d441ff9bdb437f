/**
 * Control messages: JSON text on the same WebSocket as the binary frames. Every one is checked against its schema.
 *
 *   client                         bridge
 *   ──────                         ──────
 *   hello(protocol, role, …)  ─▶
 *                             ◀─   welcome(…)  or  refuse(code) and close
 *                             ◀─   state (about twice a second), spectrum frames
 *   seen(sequence)            ─▶                 credit for one more spectrum
 *   engine(description)       ─▶                 processor only: it can compute from now on, or by another engine
 *   credit(blocks)            ─▶                 processor only: room for so many more blocks
 *                             ◀─   block frames, at most as many as credited
 *   moments frame | failed    ─▶                 one answer per lease
 *   command(id, …)            ─▶                 operators only (`operator.ts`)
 *                             ◀─   decided(id, …)
 */
import * as v from 'valibot';
import { PROTOCOL_VERSION } from './frames.ts';
import type { Geometry } from './geometry.ts';
import {
  type CommandOutcome,
  commandOutcomeSchema,
  type OperatorCommand,
  operatorCommandSchema,
} from './operator.ts';
import { bridgeStateSchema, engineSummarySchema, geometrySchema } from './state-schema.ts';
import type { BridgeState, ClientRole, EngineSummary } from './state.ts';

/** Longest control message of a client, in bytes of UTF-8; also the limit on the length of a viewer's messages. */
export const MAX_CONTROL_BYTES = 4096;

/** Most blocks that a processor may have room for: with blocks of 4 MB, the memory that one connection can pin. */
export const MAX_CREDITS = 16;

/** Most spectra that a client may leave unseen before it is given only the newest. */
export const MAX_UNSEEN_SPECTRA = 2;

/** Where a page or a headless processor connects, relative to the bridge's address. */
export const SOCKET_PATHS: Readonly<Record<ClientRole, string>> = {
  processor: 'ws/process',
  viewer: 'ws/view',
};

export interface Hello {
  readonly type: 'hello';
  readonly protocol: number;
  readonly software: string;
  /** `auto`: processor where it may be, otherwise viewer. */
  readonly role: ClientRole | 'auto';
  readonly headless: boolean;
  readonly token?: string | undefined;
}
interface Credit {
  readonly type: 'credit';
  readonly blocks: number;
}
interface Seen {
  readonly type: 'seen';
  readonly sequence: number;
}
interface Failed {
  readonly type: 'failed';
  readonly block: number;
  readonly epoch: number;
  readonly code: string;
  readonly message: string;
}
interface EngineChanged {
  readonly type: 'engine';
  readonly engine: EngineSummary;
}
interface CommandMessage {
  readonly type: 'command';
  readonly command: OperatorCommand;
}
export type ClientMessage = Hello | Credit | Seen | Failed | EngineChanged | CommandMessage;

export interface Welcome {
  readonly type: 'welcome';
  readonly protocol: number;
  readonly software: string;
  readonly client: string;
  /** The role granted, which may be less than asked for. */
  readonly role: ClientRole;
  /** Why less was granted; empty otherwise. */
  readonly roleReason: string;
  /** Why this client may not do what operators may; empty where it may. */
  readonly operatorReason: string;
  readonly geometry: Geometry;
  readonly run: string;
}
/**
 * Closed list of refusals.
 * - `protocol`: another version of this protocol; the page reloads once
 * - `token`: a token is needed and is missing or wrong
 * - `busy`: the cap on connections is reached
 * - `malformed`: a message that fits no schema, too large, or too many
 * - `bad-results`: a processor whose answers fail their checks
 * - `stopping`: the bridge is going down
 * - `silent`: a processor that does not answer in time
 */
export type RefusalCode = 'protocol' | 'token' | 'busy' | 'malformed' | 'bad-results' | 'stopping' | 'silent';
export interface Refuse {
  readonly type: 'refuse';
  readonly code: RefusalCode;
  readonly message: string;
}
interface StateMessage {
  readonly type: 'state';
  readonly state: BridgeState;
}
interface Decided {
  readonly type: 'decided';
  /** Of the command. */
  readonly id: string;
  readonly outcome: CommandOutcome;
}
export type BridgeMessage = Welcome | Refuse | StateMessage | Decided;

/** WebSocket close codes, one per refusal (4000–4999 is the range for applications, RFC 6455 §7.4.2). */
export const CLOSE_CODES: Readonly<Record<RefusalCode, number>> = {
  protocol: 4400,
  token: 4401,
  busy: 4402,
  malformed: 4403,
  'bad-results': 4404,
  stopping: 4405,
  silent: 4406,
};

/**
 * Closed list of what can be wrong with a control message.
 * - `malformed`: no JSON, or it fits no schema
 * - `protocol`: a hello or welcome of another version
 */
export type ControlErrorCode = 'malformed' | 'protocol';

export class ControlError extends Error {
  readonly code: ControlErrorCode;
  constructor(code: ControlErrorCode, message: string) {
    super(message);
    this.name = 'ControlError';
    this.code = code;
  }
}

const uint32 = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff_ffff));
const shortText = (most: number) => v.pipe(v.string(), v.maxLength(most));
const roleSchema = v.picklist(['processor', 'viewer']);

const clientMessageSchema = v.variant('type', [
  v.strictObject({
    type: v.literal('hello'),
    protocol: v.literal(PROTOCOL_VERSION),
    software: shortText(64),
    role: v.picklist(['processor', 'viewer', 'auto']),
    headless: v.boolean(),
    token: v.optional(shortText(256)),
  }),
  v.strictObject({
    type: v.literal('credit'),
    blocks: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_CREDITS)),
  }),
  v.strictObject({ type: v.literal('seen'), sequence: uint32 }),
  v.strictObject({
    type: v.literal('failed'),
    block: uint32,
    epoch: uint32,
    code: shortText(64),
    message: shortText(1024),
  }),
  v.strictObject({ type: v.literal('engine'), engine: engineSummarySchema }),
  v.strictObject({ type: v.literal('command'), command: operatorCommandSchema }),
]) satisfies v.GenericSchema<unknown, ClientMessage>;

const bridgeMessageSchema = v.variant('type', [
  v.object({
    type: v.literal('welcome'),
    protocol: v.literal(PROTOCOL_VERSION),
    software: v.string(),
    client: v.string(),
    role: roleSchema,
    roleReason: v.string(),
    operatorReason: v.string(),
    geometry: geometrySchema,
    run: v.string(),
  }),
  v.object({
    type: v.literal('refuse'),
    code: v.picklist(['protocol', 'token', 'busy', 'malformed', 'bad-results', 'stopping', 'silent']),
    message: v.string(),
  }),
  v.object({ type: v.literal('state'), state: bridgeStateSchema }),
  v.object({ type: v.literal('decided'), id: v.string(), outcome: commandOutcomeSchema }),
]) satisfies v.GenericSchema<unknown, BridgeMessage>;

/**
 * What a client says. A hello of another version is recognised before anything else is asked of it.
 * @throws {ControlError} `malformed`, `protocol`
 */
export const parseClientMessage = (text: string): ClientMessage => parse(text, clientMessageSchema, 'hello');

/**
 * What the bridge says.
 * @throws {ControlError} `malformed`, `protocol`
 */
export const parseBridgeMessage = (text: string): BridgeMessage =>
  parse(text, bridgeMessageSchema, 'welcome');

function parse<Message>(
  text: string,
  schema: v.GenericSchema<unknown, Message>,
  greeting: 'hello' | 'welcome',
): Message {
  const value = parseJson(text);
  const version = versionOf(value, greeting);
  if (version !== undefined && version !== PROTOCOL_VERSION)
    throw new ControlError(
      'protocol',
      `this side speaks protocol ${PROTOCOL_VERSION}, the other side ${JSON.stringify(version).slice(0, 32)}`,
    );
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new ControlError('malformed', `${v.getDotPath(issue) ?? 'message'}: ${issue.message.slice(0, 200)}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new ControlError('malformed', 'a control message must be JSON');
  }
}

/** The `protocol` of a greeting, whatever its type; undefined for every other message. */
function versionOf(value: unknown, greeting: string): unknown {
  if (typeof value !== 'object' || value === null || !('type' in value) || value.type !== greeting)
    return undefined;
  return 'protocol' in value ? value.protocol : null;
}
