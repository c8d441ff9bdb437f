/** Parts of the live page, and of a wall display. */
import { Band } from './kiosk/band.tsx';
import type { Model } from './model/model.ts';
import { ChainPanel } from './panels/chain-panel.tsx';
import type { PageParts } from './parts.ts';
import { Strip } from './strip/strip.tsx';

/** «⚠ stale · run404 · ». */
function title(model: Model): string {
  const { liveness } = model.freshness.value;
  const run = model.run.value;
  return `${liveness === 'stale' ? '⚠ stale · ' : ''}${run === null ? '' : `${run} · `}`;
}

export const LIVE_PARTS: PageParts = { Strip, Status: ChainPanel, Over: null, title };
export const KIOSK_PARTS: PageParts = { ...LIVE_PARTS, Strip: Band };
