/** Before the start: what was found, how it shall be measured, and the button that begins. */
import { counted, span } from '../format/quantities.ts';
import { PickButtons, type Take } from './drop-zone.tsx';
import type { Intake } from './intake.ts';
import { problemCounts } from './lines.ts';
import { SettingsForm } from './settings-form.tsx';
import { sizeText } from './size-text.ts';
import { KeptSession, Trouble } from './start-screen.tsx';
import { SurveyTable } from './survey-table.tsx';

interface Props {
  readonly intake: Intake;
  readonly take: Take;
}

export function SurveyView(props: Props) {
  const { intake } = props;
  return (
    <section class="survey" aria-label="What was found">
      <div class="survey-head">
        <Summary intake={intake} />
        <Actions {...props} />
      </div>
      <div class="survey-notes">
        <KeptSession intake={intake} />
        <Trouble intake={intake} />
      </div>
      <SettingsForm intake={intake} />
      <Problems intake={intake} />
      <SurveyTable intake={intake} />
    </section>
  );
}

function Summary({ intake }: { intake: Intake }) {
  const survey = intake.survey.value;
  if (survey === null) return null;
  const { rows, bytes } = intake.chosen.value;
  const count = (kind: string): number => rows.filter((row) => row.kind === kind).length;
  const parts = [
    [count('pair'), 'pair'],
    [count('interleaved'), 'interleaved recording'],
    [count('saved'), 'saved result'],
  ] as const;
  const what = parts.filter(([n]) => n > 0).map(([n, name]) => counted(n, name));
  const measured = survey.rows.filter(({ status }) => status !== 'new').length;
  return (
    <div class="survey-summary" role="status">
      <h1>
        {what.length === 0 ? 'Nothing to measure' : what.join(', ')}
        {bytes > 0 && `, ${sizeText(bytes)}`}
      </h1>
      <p>
        <Expected intake={intake} bytes={bytes} />
        {measured > 0 && ` · ${counted(measured, 'recording')} measured or waiting already`}
        {survey.problems.length > 0 && ` · ${counted(survey.problems.length, 'problem')}`}
        {survey.ignored > 0 && ` · ${counted(survey.ignored, 'other file')} passed over`}
      </p>
    </div>
  );
}

function Expected({ intake, bytes }: { intake: Intake; bytes: number }) {
  const pace = intake.pace.value;
  if (bytes === 0) return <>Drop more, or look at the problems below</>;
  if (pace === null || pace.bytesPerSecond === null) return <>Expected time: being measured</>;
  return (
    <>
      Expected time {span(bytes / pace.bytesPerSecond)} ({sizeText(pace.bytesPerSecond)}/s, {pace.engine})
    </>
  );
}

function Actions({ intake, take }: Props) {
  const { rows } = intake.chosen.value;
  const isReady = intake.phase.value === 'ready' && rows.length > 0;
  return (
    <div class="survey-actions">
      <button type="button" class="plain start" disabled={!isReady} onClick={() => void intake.start()}>
        {intake.kept.value === null ? 'Start' : 'Start anew with these'}
      </button>
      <span class="add-more">
        Add more: drop them, or <PickButtons take={take} />
      </span>
    </div>
  );
}

/** Each kind of problem once, with what to do about it. */
function Problems({ intake }: { intake: Intake }) {
  const counts = problemCounts(intake.survey.value?.problems ?? []);
  if (counts.length === 0) return null;
  return (
    <ul class="problem-kinds" aria-label="Problems">
      {counts.map(({ name, count, advice }) => (
        <li key={name}>
          <b>
            {count} × {name}
          </b>{' '}
          {advice}
        </li>
      ))}
    </ul>
  );
}
