/**
 * Which panels are open, and how high each is beside the others.
 */

/** From top to bottom; all but the last have the same frequency axis. */
export const PANELS = ['spectrum', 'excess', 'kurtosis', 'waterfall', 'power'] as const;
export type PanelName = (typeof PANELS)[number];

/** Shares of the height; 0 is closed. */
export type PanelSizes = Readonly<Record<PanelName, number>>;

export const PANEL_NAMES: Readonly<Record<PanelName, string>> = {
  spectrum: 'spectrum',
  excess: 'excess over the baseline',
  kurtosis: 'spectral kurtosis',
  waterfall: 'waterfall of files',
  power: 'total power, tone, digitiser',
};

/** What a panel has when it is opened. */
const USUAL: PanelSizes = { spectrum: 5, excess: 3, kurtosis: 3, waterfall: 3, power: 2.4 };
export const DEFAULT_PANELS: PanelSizes = { ...USUAL, kurtosis: 0 };

/** With type twice as large, captions and axes take more of the lower ones. */
export const KIOSK_PANELS: PanelSizes = { spectrum: 4.2, excess: 2.8, kurtosis: 0, waterfall: 4.2, power: 3 };

const LEAST = 0.5;
const MOST = 20;

/** «spectrum:5,excess:3»; what is not named is closed. Without a single known panel it is the default. */
export function readPanels(text: string): PanelSizes {
  const sizes = { spectrum: 0, excess: 0, kurtosis: 0, waterfall: 0, power: 0 };
  for (const part of text.split(',')) {
    const [name, size] = part.split(':');
    const panel = PANELS.find((known) => known === name);
    if (panel === undefined) continue;
    const value = Number(size);
    sizes[panel] = value >= LEAST && value <= MOST ? value : USUAL[panel];
  }
  return PANELS.some((panel) => sizes[panel] > 0) ? sizes : DEFAULT_PANELS;
}

export const writePanels = (sizes: PanelSizes): string =>
  PANELS.filter((panel) => sizes[panel] > 0)
    .map((panel) => `${panel}:${Number(sizes[panel].toFixed(2))}`)
    .join(',');

/** Opens or closes a panel; the last open one stays. */
export function toggled(sizes: PanelSizes, panel: PanelName): PanelSizes {
  if (sizes[panel] === 0) return { ...sizes, [panel]: USUAL[panel] };
  const isLast = PANELS.every((other) => other === panel || sizes[other] === 0);
  return isLast ? sizes : { ...sizes, [panel]: 0 };
}

/** Moves the border between two panels by a share of the height of all. */
export function resized(sizes: PanelSizes, above: PanelName, below: PanelName, share: number): PanelSizes {
  const all = PANELS.reduce((sum, panel) => sum + sizes[panel], 0);
  const both = sizes[above] + sizes[below];
  const upper = Math.min(both - LEAST, Math.max(LEAST, sizes[above] + share * all));
  return { ...sizes, [above]: upper, [below]: both - upper };
}

/** The open panels that share the frequency axis. */
export const frequencyPanels = (sizes: PanelSizes): readonly PanelName[] =>
  PANELS.filter((panel) => panel !== 'power' && sizes[panel] > 0);
