/** A real Chromium with nothing of a user's in it. */
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { findChromium } from '../../scripts/machine.mjs';

/** Nothing is asked of the network, and no dialog appears. */
export const QUIET_FLAGS = [
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** WebGPU through SwiftShader, on a machine without a GPU. */
export const SOFTWARE_WEBGPU_FLAGS = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
];

/** What Playwright adds and a user's browser does not have: with these, a hidden tab is no hidden tab. */
const NOT_A_USERS_FLAGS = [
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

/** @throws {Error} when there is none */
export function chromiumPath(): string {
  const path = findChromium();
  if (path === undefined)
    throw new Error('these tests need Chromium, and it is not in PATH: install chromium');
  return path;
}

interface ChromiumOptions {
  /** With the software adapter for WebGPU. */
  readonly webgpu?: boolean;
  readonly flags?: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export const startChromium = ({
  webgpu = false,
  flags = [],
  env = {},
}: ChromiumOptions = {}): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath(),
    chromiumSandbox: process.getuid?.() !== 0,
    args: [...QUIET_FLAGS, ...(webgpu ? SOFTWARE_WEBGPU_FLAGS : []), ...flags],
    ignoreDefaultArgs: NOT_A_USERS_FLAGS,
    env: { ...process.env, ...env },
  });

/** nobody, and its group. */
const NOBODY = 65_534;

/**
 * A browser for whom permissions count: root's reads everything, and tests may run as root. Its folder goes with it.
 */
export async function startOrdinaryChromium(): Promise<BrowserContext> {
  const folder = await mkdtemp(join(tmpdir(), 'haloscope-nobody-'));
  const profile = join(folder, 'profile');
  await mkdir(profile);
  const isRoot = process.getuid?.() === 0;
  let executablePath = chromiumPath();
  if (isRoot) {
    const start = join(folder, 'start.sh');
    const words = `setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups`;
    await writeFile(start, `#!/bin/sh\nHOME=${folder} exec ${words} ${executablePath} "$@"\n`, {
      mode: 0o755,
    });
    for (const path of [folder, profile]) await chown(path, NOBODY, NOBODY);
    executablePath = start;
  }
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    chromiumSandbox: !isRoot,
    args: [...QUIET_FLAGS],
  });
  context.on('close', () => void rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return context;
}

/** A page that fails loudly: its errors are kept for the test to look at. */
export async function openPage(browser: Browser, url: string): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(url);
  return { page, errors };
}
