/** The table before the start: what was found, line by line. */
import type { PlainProblem, RecordingStatus, Survey, SurveyRow } from '../../offline/browser/types.ts';
import { type Recording, samplesOf, slicesOf, startOf } from '../../offline/recording.ts';
import { asPlain, type Looked, type SavedFile } from './intake.ts';

/** What became of a recording or a saved result; a problem takes it out of the table. */
export type StatusOf = (what: Recording | SavedFile) => RecordingStatus | PlainProblem;

export function surveyOf(looked: Looked, isFixed: boolean, statusOf: StatusOf): Survey {
  const { common, recordings, saved, ignored } = looked;
  const rows: SurveyRow[] = [];
  const problems: PlainProblem[] = looked.problems.map(asPlain);
  const shared = sharedNumbers(recordings);
  for (const file of saved) {
    const status = statusOf(file);
    if (typeof status === 'string') rows.push(savedRow(file, status));
    else problems.push(status);
  }
  for (const recording of recordings) {
    const status = statusOf(recording);
    if (typeof status === 'string')
      rows.push(recordingRow(recording, status, looked, shared.has(recording.file)));
    else problems.push(status);
  }
  return {
    ...common,
    isFixed,
    rows,
    problems: problems.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)),
    ignored,
    bytes: rows.reduce((sum, { status, bytes }) => sum + (status === 'new' ? bytes : 0), 0),
  };
}

function savedRow({ path, bytes, spectra }: SavedFile, status: RecordingStatus): SurveyRow {
  const starts = spectra.map(({ startMs }) => startMs).filter((ms) => !Number.isNaN(ms));
  return {
    kind: 'saved',
    path,
    file: null,
    sharesNumber: false,
    bytes,
    slices: spectra.reduce((sum, { moments }) => sum + moments.count, 0),
    remainderSamples: 0,
    startMs: starts.length === 0 ? null : Math.min(...starts),
    status,
  };
}

function recordingRow(
  recording: Recording,
  status: RecordingStatus,
  { common }: Looked,
  sharesNumber: boolean,
): SurveyRow {
  const { kind, path, file, bytes } = recording;
  const { bins, sampleRateHz } = common.geometry;
  const slices = slicesOf(recording, bins);
  const remainderSamples = samplesOf(recording) - slices * bins;
  const startMs = startOf(recording, sampleRateHz);
  return { kind, path, file, sharesNumber, bytes, slices, remainderSamples, startMs, status };
}

/** Numbers that more than one pair has. */
function sharedNumbers(recordings: readonly Recording[]): ReadonlySet<number | null> {
  const seen = new Set<number>();
  const shared = new Set<number | null>();
  for (const { file } of recordings) {
    if (file === null) continue;
    if (seen.has(file)) shared.add(file);
    seen.add(file);
  }
  return shared;
}
