/**
 * The state in a sentence for those who cannot see the plot: polite, at most every ten seconds; messages at once.
 */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { integrationSeconds } from '../analysis/exposure.ts';
import { counted, age, span } from './format/quantities.ts';
import type { OfflineStatus } from '../offline/browser/types.ts';
import { grouped } from './format/numbers.ts';
import { clippingSentence } from './model/adc.ts';
import type { Model } from './model/model.ts';

const EVERY_MS = 10_000;

export function spokenSummary(model: Model): string {
  const chain = model.chain.peek();
  const state = model.state.peek();
  if (chain.code !== 'well') return `${chain.headline}. ${chain.advice}`;
  const offline = model.offline.peek();
  if (offline !== null) return offlineSummary(offline);
  if (state === null) return '';
  const time = span(integrationSeconds(state.run.slicesDone, state.geometry));
  const notices = model.notices.peek().length;
  return [
    `Run ${state.run.name} is live, newest datum ${age(model.freshness.peek().ageSeconds)} old.`,
    `${counted(state.run.filesDone, 'file')}, ${time} integrated.`,
    model.pausedMs.peek() === null ? '' : 'The view is paused; press P to follow the data.',
    linesText(model),
    clippingSentence(model.adcNow.peek()),
    notices === 0 ? '' : `${counted(notices, 'notice')}.`,
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}

function offlineSummary({ run, phase, recordings, files, slices, geometry }: OfflineStatus): string {
  const state =
    phase === 'measuring' || phase === 'stopping'
      ? `${grouped(recordings.done)} of ${counted(recordings.all, 'recording')} measured.`
      : 'Nothing is being measured.';
  return `Run ${run}: ${counted(files, 'file')}, ${span(integrationSeconds(slices, geometry))} integrated. ${state}`;
}

function linesText(model: Model): string {
  const lines = model.analysis.peek()?.lines.length ?? 0;
  return lines === 0 ? '' : `${counted(lines, 'flagged line')}.`;
}

export function Announcer({ model }: { model: Model }) {
  const spoken = useSignal('');
  useEffect(() => {
    const speak = (): void => {
      spoken.value = spokenSummary(model);
    };
    const timer = setInterval(speak, EVERY_MS);
    return () => clearInterval(timer);
  }, [model, spoken]);
  return (
    <div class="spoken" aria-live="polite">
      {spoken}
    </div>
  );
}

/** What just happened, said once and gone after a while. */
export function Message({ model }: { model: Model }) {
  const text = model.message.value;
  useEffect(() => {
    if (text === '') return;
    const timer = setTimeout(() => {
      model.message.value = '';
    }, EVERY_MS);
    return () => clearTimeout(timer);
  }, [text, model]);
  return (
    <p class="message" role="status" hidden={text === ''}>
      {text}
    </p>
  );
}
