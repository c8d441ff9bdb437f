/**
 * A page in front of a staged bridge, and what a person does with it.
 */
import type { Browser, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';

export const SCREEN_TIMEOUT_MS = 15_000;

interface OpenOptions {
  /** Of the system, which the page follows only where it is told to. */
  readonly systemIsLight?: boolean;
}

/** A page of its own context, so that nothing is kept from another test; its errors fail the test. */
export async function openScreen(browser: Browser, url: string, options: OpenOptions = {}): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1366, height: 768 },
    colorScheme: options.systemIsLight === true ? 'light' : 'dark',
  });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  onTestFinished(() => expect(errors).toEqual([]));
  await page.goto(url);
  return page;
}

export const liveness = (page: Page, wanted: string): Promise<void> =>
  page.locator(`.app[data-liveness="${wanted}"]`).waitFor({ timeout: SCREEN_TIMEOUT_MS });

/** What is drawn in a panel, pixel by pixel. */
export const pixels = (page: Page, panel = 'spectrum'): Promise<string> =>
  page
    .locator(`.${panel} .uplot canvas`)
    .first()
    .evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());

/** Waits until something is as wanted; says what it was last. */
export async function eventually<T>(look: () => Promise<T> | T, isWanted: (value: T) => boolean): Promise<T> {
  const endMs = performance.now() + SCREEN_TIMEOUT_MS;
  for (;;) {
    const value = await look();
    if (isWanted(value)) return value;
    if (performance.now() > endMs)
      throw new Error(`still ${JSON.stringify(value)?.slice(0, 500)} after ${SCREEN_TIMEOUT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

export const query = (page: Page, name: string): string | null => new URL(page.url()).searchParams.get(name);

/** A point of a plot, as shares of its area. */
export async function pointOf(
  page: Page,
  across: number,
  down: number,
  panel = 'spectrum',
): Promise<{ x: number; y: number }> {
  const box = await page.locator(`.${panel} .u-over`).first().boundingBox();
  if (box === null) throw new Error(`no plot in the panel ${panel}`);
  return { x: box.x + box.width * across, y: box.y + box.height * down };
}
