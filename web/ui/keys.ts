/**
 * Everything that the keyboard does; one list, from which the help is made as well.
 */
import type { Model } from './model/model.ts';
import type { Range } from '../analysis/range.ts';
import { binWidthHz } from '../../bridge/protocol/geometry.ts';
import { bandLimits, moved, scaledAbout, withinBand } from './plot/zoom.ts';
import { type PanelName, toggled } from './model/panels.ts';
import type { DrawerName } from './model/model.ts';
import { annotateHere, toggleRun } from './run/places.ts';
import { stepRow } from './model/stored.ts';
import { clearMarkers, mark } from './side/markers.tsx';
import { freezeReference, nextReferenceMode } from './side/compare.tsx';
import { togglePause } from './strip/pause-button.tsx';
import { savePicture } from './strip/picture.ts';
import { resetZoom } from './spectrum/controls.tsx';
import { toggleTrace } from './spectrum/legend.tsx';
import { flipTheme } from './theme.ts';

interface Key {
  /** As `KeyboardEvent.key` says it. */
  readonly keys: readonly string[];
  readonly label: string;
  readonly does: string;
  readonly run: (model: Model) => void;
}

const STEP = 0.2;
const ZOOM_IN = 0.7;

function changeX(model: Model, change: (range: Range) => Range): void {
  const g = model.geometry.peek();
  model.view.x.value = withinBand(change(model.view.x.peek() ?? bandLimits(g)), g);
}

/** About the cursor where there is one, otherwise about the middle. */
function zoom(model: Model, factor: number): void {
  const bin = model.cursorBin.peek();
  const g = model.geometry.peek();
  changeX(model, (x) => {
    const centre = bin === null ? (x.min + x.max) / 2 : (bin - g.bins / 2) * binWidthHz(g);
    return scaledAbout(x, centre, factor);
  });
}

function next<T>(values: readonly T[], value: T): T {
  return values[(values.indexOf(value) + 1) % values.length] ?? value;
}

const pan = (model: Model, direction: number): void =>
  changeX(model, (x) => moved(x, direction * STEP * (x.max - x.min)));

const togglePanel = (model: Model, panel: DrawerName): void => {
  model.openPanel.value = model.openPanel.peek() === panel ? null : panel;
};

const togglePart = ({ view }: Model, panel: PanelName): void => {
  view.panels.value = toggled(view.panels.peek(), panel);
};

export const KEYS: readonly Key[] = [
  { keys: ['1'], label: '1', does: 'show or hide the run average', run: (m) => toggleTrace(m, 'run') },
  { keys: ['2'], label: '2', does: 'show or hide the latest file', run: (m) => toggleTrace(m, 'latest') },
  {
    keys: ['3'],
    label: '3',
    does: 'show or hide the file in progress',
    run: (m) => toggleTrace(m, 'progress'),
  },
  { keys: ['4'], label: '4', does: 'show or hide the peak hold', run: (m) => toggleTrace(m, 'peak') },
  { keys: ['5'], label: '5', does: 'show or hide the minimum hold', run: (m) => toggleTrace(m, 'least') },
  { keys: ['6'], label: '6', does: 'show or hide the reference', run: (m) => toggleTrace(m, 'reference') },
  { keys: ['p'], label: 'P', does: 'pause the view; back to live', run: togglePause },
  { keys: ['PageUp'], label: 'Page ↑', does: 'the stored file or row before', run: (m) => stepRow(m, -1) },
  { keys: ['PageDown'], label: 'Page ↓', does: 'the stored file or row after', run: (m) => stepRow(m, 1) },
  { keys: ['a'], label: 'A', does: 'marker A at the cursor, or away', run: (m) => mark(m, 'a') },
  { keys: ['b'], label: 'B', does: 'marker B at the cursor, or away', run: (m) => mark(m, 'b') },
  { keys: ['c'], label: 'C', does: 'clear the markers', run: clearMarkers },
  { keys: ['h'], label: 'H', does: 'reset peak and minimum hold', run: (m) => m.requests.resetHolds() },
  { keys: ['r'], label: 'R', does: 'freeze the run average as reference', run: freezeReference },
  { keys: ['m'], label: 'M', does: 'beside the reference, ratio, difference', run: nextReferenceMode },
  {
    keys: ['n'],
    label: 'N',
    does: 'band: error of the mean, sample std, none',
    run: ({ view }) => {
      view.band.value = next(['error', 'std', 'none'] as const, view.band.peek());
    },
  },
  {
    keys: ['u'],
    label: 'U',
    does: 'unit: as published, per hertz',
    run: ({ view }) => {
      view.unit.value = next(['published', 'per-hertz'] as const, view.unit.peek());
      view.y.value = null;
    },
  },
  {
    keys: ['l'],
    label: 'L',
    does: 'scale: linear, dB',
    run: ({ view }) => {
      view.scale.value = next(['linear', 'db'] as const, view.scale.peek());
      view.y.value = null;
    },
  },
  {
    keys: ['f'],
    label: 'F',
    does: 'vertical fit: the floor, all values',
    run: ({ view }) => {
      view.height.value = next(['robust', 'full'] as const, view.height.peek());
      view.y.value = null;
    },
  },
  {
    keys: ['y'],
    label: 'Y',
    does: 'frequency axis: offset, absolute, bin',
    run: ({ view }) => {
      view.axis.value = next(['offset', 'absolute', 'bin'] as const, view.axis.peek());
    },
  },
  { keys: ['+', '='], label: '+', does: 'zoom in about the cursor', run: (m) => zoom(m, ZOOM_IN) },
  { keys: ['-'], label: '−', does: 'zoom out', run: (m) => zoom(m, 1 / ZOOM_IN) },
  { keys: ['ArrowLeft'], label: '←', does: 'move to lower frequencies', run: (m) => pan(m, -1) },
  { keys: ['ArrowRight'], label: '→', does: 'move to higher frequencies', run: (m) => pan(m, 1) },
  { keys: ['0', 'Home'], label: '0', does: 'whole band, height from the data', run: resetZoom },
  {
    keys: ['d'],
    label: 'D',
    does: 'download the run-wide average as CSV',
    run: (m) => m.requests.download('run', 'csv'),
  },
  { keys: ['g'], label: 'G', does: 'save the plots as PNG', run: (m) => void savePicture(m) },
  { keys: ['x'], label: 'X', does: 'everything that can be exported', run: (m) => togglePanel(m, 'export') },
  { keys: ['v'], label: 'V', does: 'panels, axes, baseline', run: (m) => togglePanel(m, 'view') },
  { keys: ['z'], label: 'Z', does: 'open or close the excess', run: (m) => togglePart(m, 'excess') },
  { keys: ['k'], label: 'K', does: 'open or close the kurtosis', run: (m) => togglePart(m, 'kurtosis') },
  { keys: ['w'], label: 'W', does: 'open or close the waterfall', run: (m) => togglePart(m, 'waterfall') },
  { keys: ['o'], label: 'O', does: 'open or close total power and tone', run: (m) => togglePart(m, 'power') },
  {
    keys: ['s'],
    label: 'S',
    does: 'open or close cursor, markers, flagged lines',
    run: ({ view }) => {
      view.side.value = !view.side.peek();
    },
  },
  {
    keys: ['j'],
    label: 'J',
    does: 'the run: begin another, reset the average, annotate',
    run: toggleRun,
  },
  {
    keys: ['!'],
    label: '!',
    does: 'annotate the frequency or moment under the cursor',
    run: annotateHere,
  },
  { keys: ['q'], label: 'Q', does: 'the stretch in view as a table', run: (m) => togglePanel(m, 'table') },
  {
    keys: ['i'],
    label: 'I',
    does: 'state of the chain, alarms, incomplete files',
    run: (m) => togglePanel(m, 'chain'),
  },
  {
    keys: ['e'],
    label: 'E',
    does: 'engines of this browser, and how fast they are',
    run: (m) => togglePanel(m, 'engines'),
  },
  { keys: ['t'], label: 'T', does: 'dark or light', run: flipTheme },
  { keys: ['?'], label: '?', does: 'these keys', run: (m) => togglePanel(m, 'keys') },
  {
    keys: ['Escape'],
    label: 'Esc',
    does: 'close',
    run: (m) => {
      m.openPanel.value = null;
    },
  },
];

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement ||
  target instanceof HTMLSelectElement ||
  target instanceof HTMLTextAreaElement;

export function attachKeys(model: Model): void {
  window.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target)) {
      // Out of the field first, so that the next key is a key again.
      if (event.key === 'Escape' && event.target instanceof HTMLElement) event.target.blur();
      return;
    }
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const key = KEYS.find(({ keys }) => keys.includes(name));
    if (key === undefined) return;
    event.preventDefault();
    key.run(model);
  });
}
