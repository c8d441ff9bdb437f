/** What there is before the first drop: what the page takes, what it does with it, and what was begun before. */
import type { ComponentChildren } from 'preact';
import type { KeptSummary } from '../../offline/browser/types.ts';
import { grouped, THIN } from '../format/numbers.ts';
import { counted, utc } from '../format/quantities.ts';
import { PickButtons, type Take } from './drop-zone.tsx';
import type { Intake } from './intake.ts';

interface Props {
  readonly intake: Intake;
  readonly take: Take;
  readonly children?: ComponentChildren;
}

export function StartScreen({ intake, take, children }: Props) {
  return (
    <section class="start-screen" aria-label="Before the start">
      <h1>Drop recordings here</h1>
      <p>
        Files or folders, with folders in them: pairs <code>duck_i_NNNNN.dat</code> and{' '}
        <code>duck_q_NNNNN.dat</code>, SigMF (<code>cf32_le</code>, <code>ci16_le</code>), raw{' '}
        <code>.cf32</code> and <code>.cs16</code>; and, dropped by themselves, results that were saved before
        (<code>.csv</code>, <code>.ecsv</code>, <code>.json</code>).
      </p>
      <PickButtons take={take} />
      <p class="promise">
        <b>Files never leave this computer.</b> They are read and computed in this page; there is no upload,
        no account, and nothing is sent anywhere.
      </p>
      <KeptSession intake={intake} />
      {children}
      <Trouble intake={intake} />
    </section>
  );
}

/** A session of an earlier visit: asked about until somebody has answered. */
export function KeptSession({ intake }: { intake: Intake }) {
  const kept = intake.kept.value;
  const awaited = intake.awaited.value;
  if (kept === null) return awaited === null ? null : <Awaited session={awaited} />;
  const { run, files, slices, savedMs, roots } = kept;
  return (
    <div class="kept-session" role="status">
      <p>
        <b>{run}</b> was begun before: {counted(files, 'file')}, n{THIN}
        {grouped(slices)}, kept at {utc(savedMs)}.
      </p>
      <p>
        {roots === null
          ? 'Go on, and drop the same files again: those that are measured are known, and none counts twice.'
          : 'Go on: the browser asks whether the page may read the files again. None counts twice.'}
      </p>
      <span class="row">
        <button type="button" class="plain go-on" onClick={() => void intake.goOn()}>
          Go on
        </button>
        <button type="button" class="plain start-anew" onClick={() => void intake.startAnew()}>
          Start anew
        </button>
      </span>
    </div>
  );
}

function Awaited({ session: { run, files } }: { session: KeptSummary }) {
  return (
    <div class="kept-session" role="status">
      <p>
        <b>{run}</b> goes on with {counted(files, 'file')} in its sum. Drop the same files again to measure
        the rest: those that are measured are known, and none counts twice.
      </p>
    </div>
  );
}

export function Trouble({ intake }: { intake: Intake }) {
  const text = intake.trouble.value;
  return (
    <p class="intake-trouble" role="alert" hidden={text === ''}>
      {text}
    </p>
  );
}

/** While folders are searched. */
export function Searching({ intake }: { intake: Intake }) {
  const isSearching = intake.phase.value === 'searching';
  return (
    <section class="start-screen" aria-label="Searching">
      <h1>{isSearching ? 'Searching' : 'Looking at names and sizes'}</h1>
      <p class="found-files" role="status">
        Found {counted(intake.filesFound.value, 'file')}
      </p>
      {isSearching && (
        <button type="button" class="plain" onClick={() => intake.stopSearch()}>
          Stop, and take these
        </button>
      )}
    </section>
  );
}
