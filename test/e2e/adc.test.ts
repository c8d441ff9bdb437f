/** The digitiser on the screen: what the simulator does to it, from the bridge to the page. */
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CLIP_SIGMAS, CLIPPED_S, OVERDRIVE } from '../../bridge/simulator/generator.ts';
import { defaultSignal, lineAmplitude, noiseVariance, truePower } from '../../bridge/simulator/signal.ts';
import { tailAbove } from '../../web/analysis/chance.ts';
import { startChromium } from '../browser/chromium.ts';
import { keptBridge, keptFolder } from './kept.ts';
import { eventually, liveness, openScreen, SCREEN_TIMEOUT_MS } from './screen-page.ts';
import { stageBridge } from './staged-bridge.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startChromium();
});
afterAll(() => browser.close());

const textOf = async (page: Page, selector: string): Promise<string> =>
  ((await page.locator(selector).first().textContent()) ?? '').replaceAll('\u202f', ' ').replaceAll('−', '-');

/** Files four times as fast: 1.05 s each. */
const RATE_HZ = 8e6;
const [SPUR, CLIP, DC_STEP] = [0, 1, 2];
const SPUR_HZ = 300e3;
const SPUR_RATIO = 2;

test('line, clipping and DC step of the simulated DAQ are on the page with their sizes', async () => {
  const events = [
    '--spur',
    `${SPUR_HZ}:${SPUR_RATIO}@${SPUR}`,
    '--clip',
    `${CLIP}`,
    '--dc-step',
    `${DC_STEP}`,
  ];
  const words = ['--data', await keptFolder(), '--run', 'r', '--sample-rate', `${RATE_HZ}`, '--drift', '0'];
  const bridge = await keptBridge(...words, ...events);
  const page = await openScreen(browser, bridge.page('?role=viewer&of=latest'));
  await bridge.until('the step is a whole file old', ({ run }) => run.filesDone > DC_STEP + 2);
  await liveness(page, 'live');
  const signal = defaultSignal(1, { ...defaultSignal(1).geometry, sampleRateHz: RATE_HZ });
  const { floor, geometry } = signal;
  const floorAt = (hz: number): number => truePower(geometry.loHz + hz, signal) / floor;

  // z = ρ·√n ± √(1 + 2ρ) about +300 kHz, which lies 0.2 bins from the centre of one.
  const binHz = RATE_HZ / geometry.bins;
  const off = Math.PI * (SPUR_HZ / binHz - Math.round(SPUR_HZ / binHz));
  const rho = (SPUR_RATIO * (Math.sin(off) / off) ** 2) / floorAt(SPUR_HZ);
  const line = page.locator('.flagged-line', {
    hasText: `+${((Math.round(SPUR_HZ / binHz) * binHz) / 1e3).toFixed(3)}`,
  });
  await line.waitFor({ timeout: SCREEN_TIMEOUT_MS });
  const z = Number(/z \+(\d+\.?\d*)/.exec((await line.textContent()) ?? '')?.[1]);
  expect(Math.abs(z - rho * Math.sqrt(2731))).toBeLessThan(5 * Math.sqrt(1 + 2 * rho));

  // All that ever clipped in this run, in the strip; the same number is exported.
  const clipped = await eventually(
    async () =>
      Number(/clipped ([\d ]+)/.exec(await textOf(page, '.strip .clipping'))?.[1]?.replaceAll(' ', '')),
    (count) => count > 0,
  );
  const hump = Array.from({ length: 200 }, (_, k) => floorAt((k / 200 - 0.5) * RATE_HZ));
  const variance = noiseVariance(floor * (hump.reduce((a, b) => a + b, 0) / 200), RATE_HZ) / 2;
  const limit = CLIP_SIGMAS * Math.sqrt(noiseVariance(floor, RATE_HZ) / 2);
  const expected =
    CLIPPED_S * RATE_HZ * 4 * tailAbove((limit * (1 - 2 ** -10)) / (OVERDRIVE * Math.sqrt(variance)));
  // Lines widen the noise by 0.4 %, and with it what lies beyond 2.4 σ by 1.2 %.
  expect(Math.abs(clipped / expected - 1)).toBeLessThan(0.012 + 5 / Math.sqrt(expected));
  const exported = (await (await bridge.get('api/runs/r/spectrum.json')).json()) as {
    adc: { clipped: number };
  };
  expect(Math.abs(exported.adc.clipped - clipped)).toBeLessThan(32);

  // Twice the leakage, to the three digits that are shown.
  const leakage = 2e3 * lineAmplitude(signal.leakageRatio, signal);
  await eventually(
    () => textOf(page, '.facts .adc'),
    (text) => {
      const [i = 0, q = 0] = [...text.matchAll(/DC \+(\d+\.\d+)/g)].map(([, mv]) => Number(mv));
      return (
        Math.abs(i / leakage / Math.cos(0.9) - 1) < 0.03 && Math.abs(q / leakage / Math.sin(0.9) - 1) < 0.03
      );
    },
  );
  await page.locator('.flagged-line', { hasText: 'DC, leakage of the LO' }).waitFor();
  // Everything else is well: the alarm of the clipped file has gone.
  expect(await page.locator('.strip .clipping.now').count()).toBe(0);
  expect(await textOf(page, '.facts .adc')).toContain('clipped samplesnone');
});

test('clipping catches the eye while it lasts, on the page and on the wall, and says what to do', async () => {
  const bridge = await stageBridge();
  let file = 3;
  /** Fresh data come until it is shown. */
  const shown = (publish: () => void, locator: Locator): Promise<number> =>
    eventually(
      () => {
        publish();
        return locator.count();
      },
      (count) => count > 0,
    );
  const well = (): void => bridge.publish(++file);
  bridge.publish(file);
  const page = await openScreen(browser, bridge.url);
  const wall = await openScreen(browser, `${bridge.url}?kiosk`);
  await liveness(page, 'live');
  await shown(well, wall.locator('.band-chain', { hasText: 'all well' }));
  expect(await page.locator('.clipping').count()).toBe(0);
  // Seen in the file in progress, before it is whole.
  const clips = (): void => bridge.publishClipped('progress', file + 1, 4321);
  await shown(clips, page.locator('.strip .clipping.now', { hasText: 'clipping' }));
  expect(await textOf(page, '.strip .clipping')).toBe('clipping 4 321');
  await shown(clips, wall.locator('.band-chain.alarm', { hasText: 'clipping' }));
  await page.keyboard.press('i');
  await page.locator('.drawer .notices', { hasText: 'Lower the gain' }).waitFor();
  const row = page.locator('.adc-table tr', { hasText: 'clipped' }).locator('td');
  expect((await row.allTextContents()).slice(0, 2).map((text) => text.replaceAll('\u202f', ' '))).toEqual([
    '4 321, 0.15 %',
    'none',
  ]);
  // Later it is over, and not forgotten.
  const clipped = (): void => {
    well();
    bridge.publishClipped('run', file, 4321);
  };
  await shown(clipped, page.locator('.strip .clipping:not(.now)', { hasText: 'clipped' }));
  await shown(clipped, wall.locator('.band .clipping:not(.now)', { hasText: 'clipped' }));
  await shown(clipped, wall.locator('.band-chain:not(.alarm)', { hasText: 'all well' }));
});
