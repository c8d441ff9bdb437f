/**
 * The status strip: one line, always there, whose cells keep their places as values change.
 */
import { useComputed } from '@preact/signals';
import { integrationSeconds } from '../../analysis/exposure.ts';
import { fixed, grouped, THIN } from '../format/numbers.ts';
import { age, counted, span } from '../format/quantities.ts';
import type { Model } from '../model/model.ts';
import type { LinkState } from '../../../bridge/protocol/state.ts';
import type { Connection } from '../../worker/updates.ts';
import { linkName } from '../model/chain.ts';
import { ClipCell } from './clip-cell.tsx';
import { toggleRun } from '../run/places.ts';
import { type EngineLine, engineLine } from './engine-line.ts';

const LIVE_WORDS = { none: 'no data', live: 'live', behind: 'behind', stale: 'stale' } as const;

/** Live or not by the age of the newest datum on the screen. */
export function LiveBadge({ model }: { model: Model }) {
  const { liveness, ageSeconds, undated } = model.freshness.value;
  const isOffline = model.connection.value.phase !== 'open';
  const word = isOffline && liveness === 'none' ? 'offline' : LIVE_WORDS[liveness];
  return (
    <span
      class={`cell live-badge ${liveness}`}
      title={undated ? 'The data carry no time: age since arrival' : 'Age of the newest sample on the screen'}
    >
      <span class="live-dot" aria-hidden="true" />
      <span class="live-word">{word}</span>
      <span class="live-age">{liveness === 'none' ? '' : age(ageSeconds)}</span>
    </span>
  );
}

/** The name, and the way to what operators do with the run. */
function RunCell({ model }: { model: Model }) {
  const name = <b>{model.run.value ?? '–'}</b>;
  return (
    <span class="cell run" title="Run">
      {model.isKiosk ? (
        name
      ) : (
        <button
          type="button"
          class="plain"
          aria-expanded={model.openPanel.value === 'run'}
          title="Run: begin another, reset the average, annotate (key j)"
          onClick={() => toggleRun(model)}
        >
          {name}
        </button>
      )}
    </span>
  );
}

export function Progress({ model }: { model: Model }) {
  const filesDone = useComputed(() => model.state.value?.run.filesDone ?? 0);
  const files = useComputed(() => grouped(filesDone.value));
  const time = useComputed(() => {
    const state = model.state.value;
    return state === null ? '–' : span(integrationSeconds(state.run.slicesDone, state.geometry));
  });
  const lag = useComputed(() => {
    const lagging = model.state.value?.lag;
    return lagging ? counted(lagging.files, 'file') : '–';
  });
  const lagTime = useComputed(() => {
    const lagging = model.state.value?.lag;
    return lagging ? ` · ${span(lagging.seconds)}` : '';
  });
  return (
    <>
      <span class="cell files" title="Files in the run-wide average">
        <b>{files}</b> {filesDone.value === 1 ? 'file' : 'files'}
      </span>
      <span class="cell time" title="Integration time of the run-wide average">
        <b>{time}</b>
      </span>
      <span class="cell lag" title="Complete files that wait in the log, and the seconds of data they hold">
        lag <b>{lag}</b>
        <span class="lag-time">{lagTime}</span>
      </span>
    </>
  );
}

const clientId = (connection: Connection): string | null =>
  connection.phase === 'open' ? connection.welcome.client : null;

export function EngineCell({ model }: { model: Model }) {
  const line = useComputed<EngineLine>(() =>
    engineLine(model.engine.value, model.role.value, model.state.value, clientId(model.connection.value)),
  ).value;
  const gpuMs = model.engine.value?.kind === 'gpu' ? model.gpuMsPerFile.value : null;
  return (
    <span
      class={`cell engine ${model.failover.value === null ? '' : 'alarm'}`}
      title={`${line.name}: ${line.why}`}
    >
      <b>{line.name}</b>
      <span class="engine-time">
        {line.msPerFile === null ? '' : `${fixed(line.msPerFile, 0)}${THIN}ms/file`}
        {gpuMs === null ? '' : `, GPU ${fixed(gpuMs, gpuMs < 10 ? 1 : 0)}${THIN}ms`}
      </span>
      <span class="engine-why">{line.why}</span>
    </span>
  );
}

export function LinkCell({ label, link }: { label: string; link: LinkState | undefined }) {
  const state = link === undefined ? 'unknown' : link.reachable ? 'well' : 'away';
  const words = link === undefined ? 'not known' : link.reachable ? 'reachable' : (link.trouble ?? 'away');
  return (
    <span class={`cell link ${state}`} title={`${label}: ${words}`}>
      <span class="link-dot" aria-hidden="true" />
      {label} <b>{link === undefined ? '–' : state === 'away' ? 'away' : linkName(link)}</b>
    </span>
  );
}

function Buttons({ model }: { model: Model }) {
  const count = model.notices.value.length;
  const isAlarm = model.notices.value.some((notice) => notice.isAlarm);
  const toggle = (panel: 'chain' | 'keys' | 'export') => () => {
    model.openPanel.value = model.openPanel.value === panel ? null : panel;
  };
  return (
    <span class="cell buttons">
      {model.isOutdated.value && (
        <button
          type="button"
          class="plain outdated"
          onClick={() => location.reload()}
          title="The bridge serves a newer build of this page than the one that runs here"
        >
          New version: reload
        </button>
      )}
      <button
        type="button"
        class={`plain notices ${isAlarm ? 'alarm' : ''}`}
        aria-expanded={model.openPanel.value === 'chain'}
        onClick={toggle('chain')}
        title="State of the chain, alarms and incomplete files (key i)"
      >
        {count === 0 ? 'Status' : `Status · ${count}`}
      </button>
      <button
        type="button"
        class="plain"
        aria-expanded={model.openPanel.value === 'export'}
        onClick={toggle('export')}
        title="Spectrum as CSV, ECSV, NPZ, JSON; the plots as PNG (key x)"
      >
        Export
      </button>
      <button
        type="button"
        class="plain"
        aria-expanded={model.openPanel.value === 'keys'}
        onClick={toggle('keys')}
        title="Keys (?)"
      >
        ?
      </button>
    </span>
  );
}

export function Strip({ model }: { model: Model }) {
  const role = model.role.value;
  const { connection } = model;
  const reason = connection.value.phase === 'open' ? connection.value.welcome.roleReason : '';
  // What was said last is not known any more.
  const state = connection.value.phase === 'open' ? model.state.value : null;
  return (
    <header class="strip">
      <h1 class="cell brand">haloscope</h1>
      <RunCell model={model} />
      <LiveBadge model={model} />
      <Progress model={model} />
      <ClipCell model={model} />
      <EngineCell model={model} />
      <span class="cell role" title={reason === '' ? 'Role of this page' : reason}>
        {role ?? '–'}
      </span>
      <LinkCell label="in" link={state?.input} />
      <LinkCell label="out" link={state?.output} />
      <Buttons model={model} />
    </header>
  );
}
