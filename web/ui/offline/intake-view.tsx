/** What lies over the panels of the offline page: the start, the search, the table; and the drop itself. */
import { useEffect } from 'preact/hooks';
import type { Model } from '../model/model.ts';
import { DropZone, type Take } from './drop-zone.tsx';
import { type Installed, OpensOffline, UpdateNotice } from './installed.tsx';
import type { Intake } from './intake.ts';
import { Searching, StartScreen } from './start-screen.tsx';
import { SurveyView } from './survey-view.tsx';

interface Props {
  readonly model: Model;
  readonly intake: Intake;
  readonly installation: Installed;
}

export function OfflineIntake({ model, intake, installation }: Props) {
  const take: Take = (roots) => void intake.take(roots);
  const phase = model.offline.value?.phase;
  useEffect(() => void intake.refresh(), [phase, intake]);
  // A drawer lies to the right of the panels and under this.
  const isOpen = intake.isOpen.value && model.openPanel.value === null;
  return (
    <>
      <DropZone take={take} />
      {isOpen && (
        <div class="offline-intake">
          <Screen intake={intake} take={take} installation={installation} />
        </div>
      )}
      <UpdateNotice installation={installation} />
    </>
  );
}

function Screen({ intake, take, installation }: { intake: Intake; take: Take; installation: Installed }) {
  const phase = intake.phase.value;
  const survey = intake.survey.value;
  if (phase === 'searching' || (phase === 'looking' && survey === null)) return <Searching intake={intake} />;
  if (survey === null)
    return (
      <StartScreen intake={intake} take={take}>
        <OpensOffline installation={installation} />
      </StartScreen>
    );
  return <SurveyView intake={intake} take={take} />;
}
