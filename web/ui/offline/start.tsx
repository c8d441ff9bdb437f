/** Puts the offline page on the screen: the panels of the live one, with parts of its own. */
import { effect } from '@preact/signals';
import { analysisSettings } from '../model/analysis-settings.ts';
import { followEngineTable } from '../model/engine-table.ts';
import { followWorker } from '../link.ts';
import { createModel } from '../model/model.ts';
import { viewOfPage } from '../theme.ts';
import { readRequest } from '../request.ts';
import { startPage } from '../start.tsx';
import { connectRequests, createDesk, type RemoteWorker } from './desk.ts';
import { FilesPanel } from './files-panel.tsx';
import { OfflineIntake } from './intake-view.tsx';
import { OfflineStrip, progressTitle } from './strip.tsx';
import { followedInstallation } from './installed.tsx';
import './offline.css';
import './intake.css';

/** Between pictures while files are measured: several files come in that time, and drawing takes a core from them. */
const PICTURE_EVERY_MS = 500;

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** @returns how to say that the worker has failed */
export function startOffline(root: HTMLElement, worker: RemoteWorker): (reason: string) => void {
  const query = new URLSearchParams(location.search);
  const isSecure = window.isSecureContext;
  const model = createModel(viewOfPage(query), {
    isKiosk: false,
    isSecure,
    hasToken: false,
    isOffline: true,
  });
  const desk = createDesk(model, worker, readRequest(query).engine);
  const installation = followedInstallation();
  connectRequests(model, desk, worker);
  startPage(root, model, {
    Strip: () => <OfflineStrip model={model} desk={desk} />,
    Status: () => <FilesPanel model={model} desk={desk} />,
    Over: () => <OfflineIntake model={model} intake={desk.intake} installation={installation} />,
    title: () => `${progressTitle(model.offline.value)}${model.run.value ?? 'offline'} · `,
  });
  effect(() => void worker.analyse(analysisSettings(model.view)));
  followEngineTable(model.engineTable, (index) => worker.measureEngine(index, model.geometry.peek().bins));
  void followWorker(model, async () => {
    if (model.offline.peek()?.phase === 'measuring') await sleep(PICTURE_EVERY_MS);
    return desk.take(await worker.next());
  });
  return (reason) => {
    model.message.value = `The page's worker failed: ${reason}. Reload the page.`;
  };
}
