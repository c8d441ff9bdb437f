/**
 * A browser that draws the same pixels on every machine: one font, which comes with the packages, without hinting; no
 * colour profile, no animation; and clocks that stand still, in the page and in its worker.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { repository } from '../../scripts/machine.mjs';
import { startChromium } from '../browser/chromium.ts';
import { NOW_MS } from './night.ts';

const FONTS = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf');
const CACHE = join(repository, 'node_modules', '.cache', 'pictures');

const FLAGS = [
  '--font-render-hinting=none',
  '--disable-lcd-text',
  '--disable-font-subpixel-positioning',
  '--force-color-profile=srgb',
  '--disable-gpu',
  '--hide-scrollbars',
];

/** Fontconfig that knows these fonts only, and smooths them in grey. */
function fontsFile(): string {
  const settings = [
    ['antialias', '<bool>true</bool>'],
    ['hinting', '<bool>false</bool>'],
    ['autohint', '<bool>false</bool>'],
    ['rgba', '<const>none</const>'],
  ].map(([name, value]) => `<edit name="${name}" mode="assign">${value}</edit>`);
  mkdirSync(CACHE, { recursive: true });
  const path = join(CACHE, 'fonts.conf');
  writeFileSync(
    path,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${FONTS}</dir>` +
      `<cachedir>${join(CACHE, 'fontconfig')}</cachedir>` +
      `<selectfont><rejectfont><glob>*</glob></rejectfont><acceptfont><glob>*/DejaVuSans.ttf</glob></acceptfont></selectfont>` +
      `<match target="font">${settings.join('')}</match></fontconfig>`,
  );
  return path;
}

export const startCamera = (): Promise<Browser> =>
  startChromium({ flags: FLAGS, env: { FONTCONFIG_FILE: fontsFile() } });

/** A page whose errors fail the test. */
export async function openStill(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext({ reducedMotion: 'reduce', timezoneId: 'UTC', locale: 'en-GB' });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.clock.setFixedTime(NOW_MS);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  onTestFinished(() => expect(errors).toEqual([]));
  await page.goto(url);
  return page;
}
