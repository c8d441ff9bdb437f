/**
 * Takes a page's picture in its sizes and themes, each until it is that of its reference or stands still.
 */
import { setTimeout } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { accept, compare, isAccepting, keep } from './compare.ts';

/** A notebook, a desk, and the wall. */
export const SMALL: Size = [1366, 768];
export const USUAL: Size = [1920, 1080];
export const WALL: Size = [3840, 2160];
/** High enough for all that a drawer holds. */
export const TALL: Size = [1366, 1536];
const THEMES = ['dark', 'light'] as const;
/** What is drawn settles within this, on the slowest machine; what stays the same for so many shots has settled. */
const SETTLE_MS = 15_000;
const SETTLED_SHOTS = 4;
const BETWEEN_SHOTS_MS = 250;

type Theme = (typeof THEMES)[number];
type Size = readonly [width: number, height: number];

interface Scene {
  readonly name: string;
  readonly page: Page;
  readonly sizes?: readonly Size[];
  readonly themes?: readonly Theme[];
  /** Only this part of the page. */
  readonly part?: string;
  /** Not shown: what another machine, or this one another time, says otherwise. */
  readonly hidden?: string;
  /** Done before every shot: where the mouse rests. */
  readonly pose?: () => Promise<void>;
}

/** Null once the picture is that of the reference; otherwise, when it no longer changes, what is wrong with it. */
export async function take(name: string, shoot: () => Promise<Buffer>): Promise<string | null> {
  const endMs = performance.now() + SETTLE_MS;
  let before: Buffer = Buffer.alloc(0);
  for (let same = 1; ; await setTimeout(BETWEEN_SHOTS_MS)) {
    const png = await shoot();
    const mismatch = await compare(name, png);
    if (mismatch === null) return null;
    same = before.equals(png) ? same + 1 : 1;
    if (same >= SETTLED_SHOTS || performance.now() > endMs) {
      if (!isAccepting || same < SETTLED_SHOTS) return keep(name, png, mismatch);
      await accept(name, png);
      return null;
    }
    before = png;
  }
}

/** Keeps its room, so that nothing else moves. */
const hide = (page: Page, selector: string): Promise<void> =>
  page.locator(selector).evaluateAll((elements) => {
    for (const element of elements) if (element instanceof HTMLElement) element.style.visibility = 'hidden';
  });

/** Takes every size in every theme; what is wrong with those that differ from their references. */
export async function differing({
  name,
  page,
  sizes = [SMALL, USUAL, WALL],
  themes = THEMES,
  part,
  hidden,
  pose,
}: Scene): Promise<string[]> {
  const wrong: string[] = [];
  for (const [width, height] of sizes) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of themes) {
      await page.emulateMedia({ colorScheme });
      const shoot = async (): Promise<Buffer> => {
        await pose?.();
        if (hidden !== undefined) await hide(page, hidden);
        return (part === undefined ? page : page.locator(part)).screenshot();
      };
      const complaint = await take(`${name}-${width}-${colorScheme}`, shoot);
      if (complaint !== null) wrong.push(complaint);
    }
  }
  return wrong;
}
