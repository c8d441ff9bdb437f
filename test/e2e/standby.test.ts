/** A hot standby on Kafka, and a page that moves over to it by itself, in the same tab. */
import type { Page } from 'playwright-core';
import { expect, inject, test } from 'vitest';
import { openPage } from '../browser/chromium.ts';
import { type Chain, newChain, produceWords, serveChain } from './chain.ts';
import { runProblems } from './exports.ts';
import { type Bridge, until } from './haloscope.ts';
import { keptChromium, keptCommand, keptFolder, keptReader } from './kept.ts';
import { problemsOf } from './results.ts';
import { expectedOf, recordMany, writePairs } from './samples.ts';

const FILES = 24;
const SLICES = 300;
/** Promised is half of it, on a machine that is not loaded. */
const SHOWN_MS = 20_000;

const standbyOf = async (chain: Chain): Promise<Bridge> =>
  serveChain(chain, '--data', await keptFolder(), '--processor', 'none');

/** Number of the latest file on the screen; 0 before there is one. */
async function latestOn(page: Page): Promise<number> {
  const name = await page.locator('.legend-entry.latest .legend-name').textContent();
  return Number(/\d+/.exec(name ?? '')?.[0] ?? 0);
}

const hasPage = (bridge: Bridge): Promise<unknown> =>
  bridge.until('the page computes here', ({ clients }) =>
    clients.some(({ role, headless, engine }) => role === 'processor' && !headless && engine !== null),
  );

test('kill -9 of the active bridge: the page goes on at the standby, nothing is lost or published twice', async () => {
  const folder = await keptFolder();
  const recordings = recordMany(1, FILES, SLICES);
  await writePairs(folder, recordings);
  const chain = await newChain(inject('kafka')['4.4.0']);
  const active = await serveChain(chain, '--processor', 'none');
  // The page is there before the standby is, whose address its policy then does not yet allow.
  const { page, errors } = await openPage(await keptChromium(), active.page('?role=processor'));
  await hasPage(active);
  const loaded = page.waitForEvent('load');
  const standby = await standbyOf(chain);
  await standby.until('it stands by', ({ group }) => group?.role === 'standby');
  await loaded;
  await hasPage(active);
  errors.length = 0;
  const reader = await keptReader(chain.brokers, chain.topicOut);
  const producer = keptCommand(...produceWords(chain, folder, 'night'), '--pace', '1');
  await active.until('it is in the middle of a file', ({ run, current }) => {
    const done = current?.slicesDone ?? 0;
    return run.filesDone >= 3 && done > 0 && done < SLICES;
  });

  const lastOfActive = (await active.state()).latest?.file ?? 0;
  const killedMs = performance.now();
  await active.stop('SIGKILL');
  const after = (): string => `${((performance.now() - killedMs) / 1000).toFixed(1)} s`;
  await hasPage(standby);
  const cameAfter = after();
  await standby.until('it has published', ({ latest }) => latest !== null);
  const publishedAfter = after();
  const isNew = async () => ((await latestOn(page)) > lastOfActive + 1 ? true : undefined);
  await until('the page shows a result of the standby', isNew, SHOWN_MS);
  process.stdout.write(
    `after the kill: the page is at the standby ${cameAfter}, it publishes ${publishedAfter}, the page shows it ${after()}\n`,
  );
  expect(performance.now() - killedMs).toBeLessThan(SHOWN_MS);
  expect(new URL(page.url()).origin).toBe(new URL(active.url).origin);

  expect((await producer.finished()).status).toBe(0);
  const results = await reader.first(FILES);
  const expected = recordings.map(expectedOf);
  expect(problemsOf(results, expected, 'night')).toEqual([]);
  expect(await runProblems(standby, 'night', expected)).toEqual([]);
  // A browser says of every attempt at a dead bridge that it failed, by a socket or by asking whether it lives; nothing
  // else has gone wrong.
  const isOfTheDead = (text: string): boolean => /WebSocket connection|ERR_CONNECTION_REFUSED/.test(text);
  expect(errors.filter((text) => !isOfTheDead(text))).toEqual([]);
});

test('a page opened at the standby goes to the active bridge by itself', async () => {
  const chain = await newChain(inject('kafka')['3.4.0']);
  const active = await serveChain(chain, '--processor', 'none');
  const standby = await standbyOf(chain);
  await standby.until('it stands by', ({ group }) => group?.role === 'standby');
  await openPage(await keptChromium(), standby.page());
  await hasPage(active);
  const { group } = await standby.until('the page has left', ({ clients }) => clients.length === 0);
  expect(group).toMatchObject({ role: 'standby', peers: [{ isActive: true }] });
});
