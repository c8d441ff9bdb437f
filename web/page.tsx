/**
 * The page: takes the token out of the address, puts the model on the screen, and lets the worker own socket and
 * engine, so that neither slices nor waiting ever touch this thread.
 */
import { effect, signal } from '@preact/signals';
import { type Remote, wrap } from 'comlink';
import { analysisSettings } from './ui/model/analysis-settings.ts';
import { keepWorker, type WorkerLife } from './ui/keeper.ts';
import { keepAwake } from './ui/kiosk/wake-lock.ts';
import { followWorker } from './ui/link.ts';
import { KIOSK_PARTS, LIVE_PARTS } from './ui/live-parts.ts';
import { followEngineTable } from './ui/model/engine-table.ts';
import { createModel, loseWorker, type Model } from './ui/model/model.ts';
import { KIOSK_PANELS } from './ui/model/panels.ts';
import { showRow } from './ui/model/stored.ts';
import { takeToken } from './ui/model/token.ts';
import { viewOfPage } from './ui/theme.ts';
import { leadWithoutBridge } from './ui/no-bridge.ts';
import { refuseDrops } from './ui/refuse-drops.ts';
import { followBuild, reloadForPolicy } from './ui/reload.ts';
import { downloadFromBridge } from './ui/strip/download.ts';
import { startPage } from './ui/start.tsx';
import { readRequest } from './ui/request.ts';
import type { MonitorWorker } from './worker/worker.ts';

/** A worker, and what it says when it fails, which may be before anybody listens. */
export interface StartedWorker {
  readonly worker: Worker;
  readonly failure: Promise<ErrorEvent>;
}

/**
 * @param first may be older than this script
 * @param startWorker begins the next one, when that is over
 */
export function openPage(first: StartedWorker, startWorker: () => StartedWorker): void {
  const root = document.getElementById('app');
  if (root === null) throw new Error('the page has no element #app: it was not built from web/index.html');
  const query = new URLSearchParams(location.search);
  const token = takeToken();
  const model = modelOf(query, token !== null);
  followMonitor(model, first, startWorker, { pageUrl: location.href, token, ...readRequest(query) });
  model.requests.download = (what, format) => void downloadFromBridge(model, what, format);
  // A link with a token, opened in a tab that shows this page already, changes the fragment only.
  window.addEventListener('hashchange', () => {
    if (takeToken() !== token) location.reload();
  });
  // In a task of its own: the script's, and then this one, each block the browser for half as long.
  setTimeout(() => {
    startPage(root, model, model.isKiosk ? KIOSK_PARTS : LIVE_PARTS);
    followBuild(model);
    leadWithoutBridge(model);
    refuseDrops(model);
    if (model.isKiosk)
      keepAwake((state) => {
        model.wakeLock.value = state;
      });
  });
}

function modelOf(query: URLSearchParams, hasToken: boolean): Model {
  const isKiosk = query.has('kiosk');
  const view = viewOfPage(query);
  return createModel(isKiosk && !query.has('panels') ? { ...view, panels: KIOSK_PANELS } : view, {
    isKiosk,
    isSecure: window.isSecureContext,
    hasToken,
  });
}

/** Keeps a worker running, brings what it says into the model, and what is asked of the model to it. */
function followMonitor(
  model: Model,
  first: StartedWorker,
  startWorker: () => StartedWorker,
  options: Parameters<MonitorWorker['start']>[0],
): void {
  /** Of the life that runs now; null between two. */
  const monitor = signal<Remote<MonitorWorker> | null>(null);
  let next: StartedWorker | null = first;

  function begin(failed: (reason: string) => void): WorkerLife {
    const { worker, failure } = next ?? startWorker();
    next = null;
    void failure.then(({ message }) => failed(message || 'its script could not be loaded'));
    const own = wrap<MonitorWorker>(worker);
    void own
      .start(options)
      .then(() => own.blocked())
      .then(reloadForPolicy);
    monitor.value = own;
    void followWorker(model, () => own.next());
    return { ask: () => own.ask(), end: () => worker.terminate() };
  }

  keepWorker({
    begin,
    ended: (reason) => {
      monitor.value = null;
      loseWorker(model, reason);
    },
  });
  model.requests.resetHolds = () => void monitor.peek()?.resetHolds();
  model.requests.rows = ({ run, firstFile, lastFile, files }) =>
    monitor.peek()?.rows({ run, firstFile, lastFile, files }) ?? Promise.resolve([]);
  model.requests.choose = (row) => showRow(model, row);
  model.requests.operate = (command) => monitor.peek()?.operate(command) ?? null;
  effect(() => void monitor.value?.analyse(analysisSettings(model.view)));
  followEngineTable(model.engineTable, async (index) => {
    const { bins } = model.geometry.peek();
    return (await monitor.peek()?.measureEngine(index, bins)) ?? null;
  });
}
