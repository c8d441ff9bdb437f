/**
 * Control messages: JSON text on the same WebSocket as the binary frames. Every one is checked against its schema.
 *
 *   client                         bridge
 *   ──────                         ──────
 *   hello(protocol, role, …)  ─▶
 *                             ◀─   welcome(…)  or  refuse(code) and close
 *                             ◀─   state (about twice a second), spectrum frames
 *   seen(sequence)            ─▶                 credit for one more spectrum
 *   credit(blocks)            ─▶                 processor only: room for so many more blocks
 *                             ◀─   block frames, at most as many as credited
 *   moments frame | failed    ─▶                 one answer per lease
 *   engine(description)       ─▶                 processor only: the engine has changed
 */
import type { Geometry } from './geometry.ts';
import type { BridgeState, ClientRole, EngineSummary } from './state.ts';

export interface Hello {
  readonly type: 'hello';
  readonly protocol: number;
  readonly software: string;
  /** `auto`: processor where it may be, otherwise viewer. */
  readonly role: ClientRole | 'auto';
  readonly headless: boolean;
  readonly token?: string | undefined;
  readonly engine?: EngineSummary | undefined;
}
export interface Credit {
  readonly type: 'credit';
  readonly blocks: number;
}
export interface Seen {
  readonly type: 'seen';
  readonly sequence: number;
}
export interface Failed {
  readonly type: 'failed';
  readonly block: number;
  readonly epoch: number;
  readonly code: string;
  readonly message: string;
}
export interface EngineChanged {
  readonly type: 'engine';
  readonly engine: EngineSummary;
}
export type ClientMessage = Hello | Credit | Seen | Failed | EngineChanged;

export interface Welcome {
  readonly type: 'welcome';
  readonly protocol: number;
  readonly software: string;
  readonly client: string;
  /** The role granted, which may be less than asked for. */
  readonly role: ClientRole;
  /** Why less was granted; empty otherwise. */
  readonly roleReason: string;
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
 * - `silent`: no answer to pings
 */
export type RefusalCode = 'protocol' | 'token' | 'busy' | 'malformed' | 'bad-results' | 'stopping' | 'silent';
export interface Refuse {
  readonly type: 'refuse';
  readonly code: RefusalCode;
  readonly message: string;
}
export interface StateMessage {
  readonly type: 'state';
  readonly state: BridgeState;
}
export type BridgeMessage = Welcome | Refuse | StateMessage;

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
