/** The same page in Firefox, where there is no WebGPU on a machine without a GPU: the CPU engine computes there. */
import type { Page } from 'puppeteer-core';
import { expect, onTestFinished, test } from 'vitest';
import { startFirefox } from '../browser/firefox.ts';
import { keptBridge, keptFolder } from './kept.ts';

const TIMEOUT_MS = 60_000;
/** A quarter of a second each, so that several are done while the page is looked at. */
const SLICES_PER_FILE = 163;

interface Drawn {
  readonly pixels: number;
  readonly colours: number;
}

/** What a panel's canvas has on it: pixels that are not clear, and in how many colours. */
const drawn = (page: Page, panel: string): Promise<Drawn> =>
  page.$eval(`.${panel} .uplot canvas`, (canvas) => {
    const image = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height);
    const values = new Uint32Array(image?.data.buffer ?? new ArrayBuffer(0)).filter(
      (value) => value >>> 24 > 0,
    );
    return { pixels: values.length, colours: new Set(values).size };
  });

test('Firefox computes, shows the spectrum, and has nothing to object to', async () => {
  const small = ['--slices-per-file', String(SLICES_PER_FILE)];
  const bridge = await keptBridge('--data', await keptFolder(), '--processor', 'none', ...small);
  const firefox = await startFirefox();
  onTestFinished(() => firefox.close());
  const page = await firefox.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) complaints.push(message.text());
  });
  await page.goto(bridge.page());

  const { engine } = await bridge.processor();
  expect(engine?.kind).toBe('wasm');
  await bridge.until('files are computed by Firefox', ({ run }) => run.filesDone >= 3, TIMEOUT_MS);
  await page.waitForSelector('.app[data-liveness="live"][data-chain="well"]', { timeout: TIMEOUT_MS });
  await page.waitForFunction(
    () => /n \d/.test(document.querySelector('.legend-entry.run .legend-exposure')?.textContent ?? ''),
    { timeout: TIMEOUT_MS },
  );

  const legend = await page.$$eval('.legend-entry', (entries) =>
    entries.map(({ textContent }) => textContent),
  );
  expect(legend.map((text) => /run average|latest file|in progress/.exec(text ?? '')?.[0])).toEqual([
    'run average',
    'latest file',
    'in progress',
  ]);
  // Labels, lines and bands are drawn in many shades; an empty plot has one or none.
  for (const panel of ['spectrum', 'excess', 'waterfall', 'power']) {
    const { pixels, colours } = await drawn(page, panel);
    expect({ panel, pixels: pixels > 1000, colours: colours > 16 }).toEqual({
      panel,
      pixels: true,
      colours: true,
    });
  }
  const exposed = await page.$eval('.strip', ({ textContent }) => textContent);
  expect(exposed).toContain('CPU');
  expect(complaints).toEqual([]);
});
