/**
 * The strip of the offline page: how far the files are, instead of how a chain does.
 */
import { integrationSeconds } from '../../analysis/exposure.ts';
import type { OfflinePhase, OfflineStatus } from '../../offline/browser/types.ts';
import { fixed, grouped, THIN } from '../format/numbers.ts';
import { age, counted, span } from '../format/quantities.ts';
import type { DrawerName, Model } from '../model/model.ts';
import { EngineCell } from '../strip/strip.tsx';
import type { Desk } from './desk.ts';

const PHASES: Readonly<Record<OfflinePhase, string>> = {
  empty: 'no files yet',
  measuring: 'measuring',
  stopping: 'finishing the files in hand',
  done: 'done',
  stopped: 'stopped',
  failed: 'failed',
};

const share = ({ done, all }: OfflineStatus['bytes']): number => (all === 0 ? 1 : Math.min(1, done / all));

function Progress({ status, desk }: { status: OfflineStatus; desk: Desk }) {
  const { phase, recordings, bytes, bytesPerSecond, secondsLeft } = status;
  const isBusy = phase === 'measuring' || phase === 'stopping';
  const rate = bytesPerSecond === null ? '–' : grouped(bytesPerSecond / 1e6);
  return (
    <>
      <progress
        class="offline-bar"
        value={share(bytes)}
        max={1}
        aria-label="Part of the bytes that are read"
      />
      <span class="cell offline-count">
        <b>{grouped(recordings.done)}</b> of <b>{grouped(recordings.all)}</b>
      </span>
      <span class="cell offline-rate" title="Of the last seconds">
        <b>{rate}</b>
        {THIN}MB/s
      </span>
      <span class="cell offline-left">
        {isBusy && secondsLeft !== null ? `${age(Math.max(0, secondsLeft))} left` : PHASES[phase]}
      </span>
      {isBusy && (
        <button
          type="button"
          class="plain"
          onClick={() => desk.cancel()}
          title="Finishes the files in hand; what is done stays"
        >
          {phase === 'stopping' ? 'Stop at once' : 'Cancel'}
        </button>
      )}
    </>
  );
}

function Buttons({ model, desk }: { model: Model; desk: Desk }) {
  const problems = desk.problems.value.length;
  const button = (panel: DrawerName, text: string, title: string) => (
    <button
      type="button"
      class={`plain ${panel === 'chain' ? 'notices' : ''} ${panel === 'chain' && problems > 0 ? 'alarm' : ''}`}
      aria-expanded={model.openPanel.value === panel}
      title={title}
      onClick={() => {
        model.openPanel.value = model.openPanel.value === panel ? null : panel;
      }}
    >
      {text}
    </button>
  );
  return (
    <span class="cell buttons">
      <button
        type="button"
        class="plain"
        aria-expanded={desk.intake.isOpen.value}
        title="Drop or choose more, and what was found so far"
        onClick={() => desk.intake.toggle()}
      >
        Add
      </button>
      {button('chain', problems === 0 ? 'Files' : `Files · ${counted(problems, 'problem')}`, 'Files (key i)')}
      {button('export', 'Export', 'Spectrum as CSV, ECSV, NPZ, JSON; the plots as PNG (key x)')}
      {button('keys', '?', 'Keys (?)')}
    </span>
  );
}

export function OfflineStrip({ model, desk }: { model: Model; desk: Desk }) {
  const status = model.offline.value;
  return (
    <header class="strip offline">
      <h1 class="cell brand">haloscope</h1>
      <span class="cell run" title="Run">
        <b>{status?.run ?? 'offline'}</b>
      </span>
      <span class="cell private" title="The page computes here; it sends nothing to anybody">
        files never leave this computer
      </span>
      {status !== null && (
        <>
          <span class="cell files" title="Files and integration time of the run-wide average">
            <b>{grouped(status.files)}</b> {status.files === 1 ? 'file' : 'files'} ·{' '}
            {span(integrationSeconds(status.slices, status.geometry))}
          </span>
          <Progress status={status} desk={desk} />
        </>
      )}
      <EngineCell model={model} />
      <Buttons model={model} desk={desk} />
    </header>
  );
}

/** For the title of the window: «42 % · ». */
export const progressTitle = (status: OfflineStatus | null): string =>
  status?.phase === 'measuring' ? `${fixed(100 * share(status.bytes), 0)}${THIN}% · ` : '';
