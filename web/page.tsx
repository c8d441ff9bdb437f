/**
 * The page: takes the token out of the address, puts the model on the screen, and lets the worker own socket and
 * engine, so that neither slices nor waiting ever touch this thread.
 */
import { effect } from '@preact/signals';
import { wrap } from 'comlink';
import { analysisSettings } from './ui/model/analysis-settings.ts';
import { followWorker } from './ui/link.ts';
import { LIVE_PARTS } from './ui/live-parts.ts';
import { followEngineTable } from './ui/model/engine-table.ts';
import { createModel } from './ui/model/model.ts';
import { takeToken } from './ui/model/token.ts';
import { viewOfPage } from './ui/theme.ts';
import { reloadForPolicy, reloadOnceOnMismatch } from './ui/reload.ts';
import { downloadFromBridge } from './ui/strip/download.ts';
import { startPage } from './ui/start.tsx';
import { readRequest } from './ui/request.ts';
import type { MonitorWorker } from './worker/worker.ts';

/** @param failure of the worker, which may be older than this script */
export function openPage(worker: Worker, failure: Promise<ErrorEvent>): void {
  const root = document.getElementById('app');
  if (root === null) throw new Error('the page has no element #app: it was not built from web/index.html');
  const query = new URLSearchParams(location.search);
  const token = takeToken();
  const model = createModel(viewOfPage(query), {
    isKiosk: query.has('kiosk'),
    isSecure: window.isSecureContext,
    hasToken: token !== null,
  });
  void failure.then(({ message }) => {
    model.connection.value = {
      phase: 'lost',
      reason: `The page's worker failed: ${message || 'its script could not be loaded'}. Reload the page.`,
      sinceMs: Date.now(),
    };
  });
  const monitor = wrap<MonitorWorker>(worker);
  void monitor
    .start({ pageUrl: location.href, token, ...readRequest(query) })
    .then(() => monitor.blocked())
    .then(reloadForPolicy);
  model.requests.download = (what, format) => void downloadFromBridge(model, what, format);
  model.requests.resetHolds = () => void monitor.resetHolds();
  effect(() => void monitor.analyse(analysisSettings(model.view)));
  followEngineTable(model.engineTable, (index) => monitor.measureEngine(index, model.geometry.peek().bins));
  // A link with a token, opened in a tab that shows this page already, changes the fragment only.
  window.addEventListener('hashchange', () => {
    if (takeToken() !== token) location.reload();
  });
  // In a task of its own: the script's, and then this one, each block the browser for half as long.
  setTimeout(() => {
    startPage(root, model, LIVE_PARTS);
    reloadOnceOnMismatch(model);
    void followWorker(model, () => monitor.next());
  });
}
