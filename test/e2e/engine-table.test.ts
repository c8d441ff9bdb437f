/** The page's own table of engines, and the GPU's time in the status strip. */
import { expect, test } from 'vitest';
import { openPage } from '../browser/chromium.ts';
import { keptBridge, keptChromium, keptFolder } from './kept.ts';
import { keepPublishing, stageBridge } from './staged-bridge.ts';

/** Kernels take up to 10 s to compile on a software adapter. */
const TIMEOUT_MS = 60_000;

test('key E measures every engine of the browser while data go on', async () => {
  const bridge = await stageBridge();
  keepPublishing(bridge);
  const browser = await keptChromium({ webgpu: true });
  const { page, errors } = await openPage(browser, bridge.url);
  await page.locator('.app[data-liveness="live"]').waitFor();
  await page.keyboard.press('e');
  // One row per engine, as each is done; until the first begins, the button can still be pressed.
  await page.locator('.engine-row').nth(3).waitFor({ timeout: TIMEOUT_MS });
  await page.getByRole('button', { name: 'Measure again', disabled: false }).waitFor({ timeout: TIMEOUT_MS });
  const rows = await page.locator('.engine-row').evaluateAll((all) =>
    all.map((row) => ({
      engine: row.getAttribute('data-engine'),
      words: row.querySelector('.quiet')?.textContent ?? '',
      cells: [...row.querySelectorAll('td')].map((cell) => cell.textContent ?? ''),
    })),
  );
  process.stdout.write(`${rows.map((row) => JSON.stringify(row)).join('\n')}\n`);
  expect(rows.map(({ engine }) => engine)).toEqual(['wasm', 'wasm-one', 'ts-one', 'gpu']);
  for (const { engine, words, cells } of rows) {
    expect(words).toContain('self-test passed');
    expect(cells.slice(0, 2)).toEqual([expect.stringMatching(/\d/), expect.stringMatching(/\d/)]);
    // SwiftShader has timestamps.
    expect(cells[2]).toMatch(engine === 'gpu' ? /\d/ : /^–$/);
  }
  expect(await page.locator('.app').getAttribute('data-liveness')).toBe('live');
  expect(errors).toEqual([]);
});

test('the status strip shows the time on the GPU itself', async () => {
  const bridge = await keptBridge('--processor', 'none', '--data', await keptFolder());
  const browser = await keptChromium({ webgpu: true });
  const { page, errors } = await openPage(browser, bridge.page('?engine=gpu'));
  await page
    .locator('.engine-time', { hasText: /ms\/file, GPU \d[\d.]*\u202fms/ })
    .waitFor({ timeout: TIMEOUT_MS });
  expect(errors).toEqual([]);
});
