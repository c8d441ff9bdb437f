/**
 * The state of the chain in words: what happens, and what a person can do. One headline at a time, the one that
 * explains most; everything else is in the list of notices.
 */
import type { Freshness } from '../../analysis/freshness.ts';
import type { BridgeState, ClientRole, LinkState } from '../../../bridge/protocol/state.ts';
import type { OfflineStatus } from '../../offline/browser/types.ts';
import type { Connection } from '../../worker/updates.ts';
import { age, counted, utcShort } from '../format/quantities.ts';

type ChainCode =
  | 'well'
  | 'connecting'
  | 'disconnected'
  | 'refused-token'
  | 'refused-protocol'
  | 'refused'
  | 'input-away'
  | 'output-away'
  | 'standby'
  | 'no-processor'
  | 'starting'
  | 'waiting'
  | 'behind'
  | 'stale'
  | 'offline-empty'
  | 'offline-failed';

/** `calm`: nothing to do. `note`: worth a look. `alarm`: somebody should act. */
type Severity = 'calm' | 'note' | 'alarm';

export interface ChainSummary {
  readonly code: ChainCode;
  readonly severity: Severity;
  readonly headline: string;
  /** What is being done about it, or what to do; empty where the headline says all. */
  readonly advice: string;
}

export interface ChainInput {
  readonly connection: Connection;
  readonly state: BridgeState | null;
  readonly freshness: Freshness;
  readonly role: ClientRole | null;
  /** Why this page has no engine, where it should have one. */
  readonly engineTrouble: string | null;
  readonly nowMs: number;
}

const KIND_NAMES: Readonly<Record<LinkState['kind'], string>> = {
  kafka: 'Kafka',
  folder: 'folder',
  simulator: 'simulator',
  embedded: 'store',
};
export const linkName = (link: LinkState): string => KIND_NAMES[link.kind];

/** With its article, for sentences. */
const linkPhrase = (link: LinkState): string => (link.kind === 'kafka' ? 'Kafka' : `the ${linkName(link)}`);

const WELL: ChainSummary = { code: 'well', severity: 'calm', headline: '', advice: '' };

/** «no new data for 2 min 13 s, since 12:34:56 UTC». */
const quiet = ({ freshness, nowMs }: ChainInput): string =>
  `no new data for ${age(freshness.quietSeconds)}, since ${utcShort(nowMs - freshness.quietSeconds * 1000, nowMs)}`;

/** Reasons come in others' words, as a clause or as a sentence. */
const sentence = (text: string): string =>
  text === '' ? '' : `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?…]$/.test(text) ? '' : '.'}`;

function ofConnection(input: ChainInput): ChainSummary | null {
  const { connection } = input;
  switch (connection.phase) {
    case 'open':
      return null;
    case 'connecting':
      return { code: 'connecting', severity: 'calm', headline: 'Connecting to the bridge', advice: '' };
    case 'lost':
      return {
        code: 'disconnected',
        severity: 'alarm',
        headline: `Not connected to the bridge since ${utcShort(connection.sinceMs, input.nowMs)}`,
        advice:
          `${sentence(connection.reason)} Tried again by itself; if it lasts, look whether the bridge is running.`.trim(),
      };
    case 'refused':
      return ofRefusal(connection);
  }
}

function ofRefusal(refused: Extract<Connection, { phase: 'refused' }>): ChainSummary {
  const { code, message } = refused;
  if (code === 'token')
    return {
      code: 'refused-token',
      severity: 'alarm',
      headline: 'The bridge asks for a token',
      advice: `${sentence(message)} Paste the token that the bridge printed at its start, or open its link with #token=…`,
    };
  if (code === 'protocol')
    return {
      code: 'refused-protocol',
      severity: 'alarm',
      headline: 'This page and the bridge are of different versions',
      advice: `${sentence(message)} The page reloads itself as soon as the bridge has a newer one: rebuild it, and start the bridge again.`,
    };
  return {
    code: 'refused',
    severity: 'alarm',
    headline: `The bridge refused this page: ${code}`,
    advice: sentence(message),
  };
}

function ofLinks(state: BridgeState): ChainSummary | null {
  if (!state.input.reachable)
    return {
      code: 'input-away',
      severity: 'alarm',
      headline: `Input away: ${linkName(state.input)}`,
      advice: state.input.trouble ?? 'The bridge keeps trying.',
    };
  if (!state.output.reachable)
    return {
      code: 'output-away',
      severity: 'alarm',
      headline: `Output away: ${linkName(state.output)}`,
      advice: state.output.trouble ?? 'The bridge keeps trying; results wait until it is back.',
    };
  return null;
}

/** Where the page cannot reach the active bridge it stays here, and says why nothing moves. */
function ofGroup({ group }: BridgeState): ChainSummary | null {
  if (group?.role !== 'standby') return null;
  return {
    code: 'standby',
    severity: 'note',
    headline: 'This bridge stands by',
    advice: 'Another one reads the data; the page goes there by itself where this machine can reach it.',
  };
}

/** One that has its engine ready. */
const hasProcessor = (state: BridgeState): boolean =>
  state.clients.some((client) => client.role === 'processor' && client.engine !== null);

function withoutProcessor({ role, engineTrouble }: ChainInput): ChainSummary {
  if (role === 'processor' && engineTrouble === null)
    return {
      code: 'starting',
      severity: 'calm',
      headline: 'Starting the engine',
      advice: 'This page computes the spectra; its engine is being made and tested.',
    };
  return {
    code: 'no-processor',
    severity: 'alarm',
    headline: 'No processor: data wait in the log',
    advice:
      engineTrouble ??
      'Open this page with ?role=processor and the token on a workstation, or start «haloscope process».',
  };
}

function ofFreshness(input: ChainInput, state: BridgeState): ChainSummary {
  const { liveness, ageSeconds } = input.freshness;
  if (liveness === 'live') return WELL;
  if (!hasProcessor(state)) return withoutProcessor(input);
  if (liveness === 'none')
    return {
      code: 'waiting',
      severity: 'calm',
      headline: 'Waiting for the first file',
      advice: `Reading from ${linkPhrase(state.input)}; the first spectrum appears with the first slices.`,
    };
  if (liveness === 'behind')
    return {
      code: 'behind',
      severity: 'note',
      headline: `Behind: the newest datum is ${age(ageSeconds)} old`,
      advice: state.lag ? `${counted(state.lag.files, 'file')} to catch up.` : '',
    };
  return {
    code: 'stale',
    severity: 'alarm',
    headline: `Stale: ${quiet(input)}`,
    advice: `Nothing new comes from ${linkPhrase(state.input)}, which can be reached: look whether the DAQ and the producer run.`,
  };
}

/** The one thing to say now. */
export function summarise(input: ChainInput): ChainSummary {
  const ofWire = ofConnection(input);
  if (ofWire !== null) return ofWire;
  if (input.state === null)
    return {
      code: 'connecting',
      severity: 'calm',
      headline: 'Connected; waiting for the state of the chain',
      advice: '',
    };
  return ofLinks(input.state) ?? ofGroup(input.state) ?? ofFreshness(input, input.state);
}

/** Without a bridge: files that are dropped into the page. */
export function summariseOffline(status: OfflineStatus | null): ChainSummary {
  if (status?.phase === 'failed')
    return {
      code: 'offline-failed',
      severity: 'alarm',
      headline: 'No engine works in this browser',
      advice: `${status.trouble ?? ''} What is done stays; start again to go on with the rest.`.trim(),
    };
  if (status === null)
    return {
      code: 'offline-empty',
      severity: 'calm',
      headline: 'No files yet',
      advice: 'Drop file pairs, recordings or saved results here. They never leave this computer.',
    };
  return WELL;
}
