/**
 * What a person should know besides the headline: alarms, incomplete files, an engine that is not the best one,
 * an insecure page. Counted in the status strip, listed in the panel of the chain.
 */
import type { BridgeState } from '../../../bridge/protocol/state.ts';
import type { EngineDescription } from '../../engine/engine.ts';
import { counted } from '../format/quantities.ts';
import { type Adc, adcNotices } from './adc.ts';

export interface Notice {
  readonly code: string;
  readonly isAlarm: boolean;
  readonly title: string;
  readonly detail: string;
  /** How often it has happened, where the title does not say it. */
  readonly count: number;
}

/** An engine that took over from another one during this visit. */
export interface Failover {
  readonly from: EngineDescription;
  readonly to: EngineDescription;
  readonly atMs: number;
}

export interface NoticeInput {
  readonly state: BridgeState | null;
  readonly failover: Failover | null;
  readonly engineTrouble: string | null;
  /** Why less was granted than the token should give; empty otherwise. */
  readonly roleTrouble: string;
  readonly isSecure: boolean;
  readonly adc: Adc;
}

const insecure: Notice = {
  code: 'insecure-page',
  isAlarm: false,
  title: 'Insecure page: no GPU, no wake lock',
  detail:
    'Browsers offer WebGPU only on https: pages and on localhost. Open the bridge by its https: address, or on the machine that it runs on.',
  count: 1,
};

const ofFailover = ({ from, to }: Failover): Notice => ({
  code: 'engine-failover',
  isAlarm: true,
  title: `Engine changed: ${from.name} → ${to.name}`,
  detail: to.why,
  count: 1,
});

function ofState(state: BridgeState): Notice[] {
  const notices: Notice[] = state.alarms.map((alarm) => ({
    code: alarm.code,
    isAlarm: true,
    title: alarm.code,
    detail: alarm.message,
    count: alarm.count,
  }));
  if (state.incomplete.length > 0)
    notices.push({
      code: 'incomplete-files',
      isAlarm: true,
      title: counted(state.incomplete.length, 'incomplete file'),
      detail: 'Not published as whole; the missing slices are listed below.',
      count: 1,
    });
  const rejected = Object.values(state.rejected).reduce((sum, n) => sum + n, 0);
  if (rejected > 0)
    notices.push({
      code: 'rejected-messages',
      isAlarm: false,
      title: `${counted(rejected, 'message or slice', 'messages or slices')} rejected`,
      detail: Object.entries(state.rejected)
        .map(([reason, n]) => `${reason}: ${n}`)
        .join(', '),
      count: 1,
    });
  if (state.headerless)
    notices.push({
      code: 'headerless',
      isAlarm: false,
      title: 'Messages without headers',
      detail:
        'File numbers, lengths and sampling rate are inferred from keys and settings; times are not known.',
      count: 1,
    });
  return notices;
}

/** Alarms first. */
export function noticesOf(input: NoticeInput): readonly Notice[] {
  const { state, failover, engineTrouble, roleTrouble, isSecure, adc } = input;
  const notices = state === null ? [] : ofState(state);
  if (roleTrouble !== '')
    notices.push({ code: 'role', isAlarm: true, title: 'Viewer only', detail: roleTrouble, count: 1 });
  if (engineTrouble !== null)
    notices.unshift({
      code: 'no-engine',
      isAlarm: true,
      title: 'No engine in this page',
      detail: engineTrouble,
      count: 1,
    });
  notices.unshift(...adcNotices(adc));
  if (failover !== null) notices.unshift(ofFailover(failover));
  if (!isSecure) notices.push(insecure);
  return notices.sort((a, b) => Number(b.isAlarm) - Number(a.isAlarm));
}
