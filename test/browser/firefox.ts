/** The system's Firefox with a profile of its own, steered by WebDriver BiDi, which it speaks by itself. */
import { type Browser, launch } from 'puppeteer-core';
import { findFirefox } from '../../scripts/machine.mjs';

/** @throws {Error} when there is none */
export function startFirefox(): Promise<Browser> {
  const executablePath = findFirefox();
  if (executablePath === undefined)
    throw new Error('these tests need Firefox, and it is not in PATH: install firefox-esr or firefox');
  return launch({
    browser: 'firefox',
    executablePath,
    headless: true,
    defaultViewport: { width: 1366, height: 768 },
  });
}
