/** A night of a few files, sent while a test lets something fail: most of the time in the middle of one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bridge, succeed } from '../e2e/haloscope.ts';
import { produceWords } from '../e2e/chain.ts';
import { keptFolder } from '../e2e/kept.ts';
import { type Recording, recordMany, writePairs } from '../e2e/samples.ts';
import type { ClientState } from '../../bridge/protocol/state.ts';
import { keptSender, type RawRecord, recordsOf } from './records.ts';
import type { Row } from './row.ts';

const RUN = 'night';
const SLICES_PER_MESSAGE = 10;
/** A digitiser is never done with a file at once: its messages come in so many parts of equal length. */
const PARTS = 8;
/** Of the chain's input topic, as `topics` creates it. */
const PARTITIONS = 4;

export interface Night {
  readonly outcome: { readonly complete: Readonly<Record<string, readonly Recording[]>> };
  /** Sends all files at once: a backlog. */
  sendAll(): Promise<void>;
  /** Sends files that take so many seconds each, and returns at once; the promise ends with the last. */
  send(paceSeconds: number): { readonly sent: () => Promise<void> };
}

/** A night of so many files from number 1, of noise and a tone. */
export const newNight = (row: Row, files: number, slices: number): Promise<Night> =>
  nightOf(row, recordMany(1, files, slices));

export async function nightOf(row: Row, recordings: readonly Recording[]): Promise<Night> {
  const folder = await keptFolder();
  await writePairs(folder, recordings);
  const words = produceWords(row.chain, folder, RUN);
  return {
    outcome: { complete: { [RUN]: recordings } },
    sendAll: async () => void (await succeed(...words, '--pace', 'max')),
    send: (secondsPerFile) => {
      const done = trickle(row, recordings, secondsPerFile);
      // Told by `sent`, also where the test ends by another failure before it asks.
      done.catch(() => {});
      return { sent: () => done };
    },
  };
}

/** Files one after the other, the messages of each spread over its time; each in one partition, as `produce` sends. */
async function trickle(
  { chain }: Row,
  recordings: readonly Recording[],
  secondsPerFile: number,
): Promise<void> {
  const send = await keptSender(chain.brokers, chain.topicIn);
  for (const recording of recordings) {
    const partition = recording.file % PARTITIONS;
    const records: RawRecord[] = recordsOf(recording, RUN, SLICES_PER_MESSAGE).map((each) => ({
      ...each,
      partition,
    }));
    const perPart = Math.ceil(records.length / PARTS);
    for (let part = 0; part < PARTS; part++) {
      await Promise.all([
        send(records.slice(part * perPart, (part + 1) * perPart)),
        sleep((1000 * secondsPerFile) / PARTS),
      ]);
    }
  }
}

/** Sends these files at once, and returns when they are in the topic. */
export async function sendFiles(
  row: Row,
  files: readonly Recording[],
  run = RUN,
  ...words: string[]
): Promise<void> {
  const folder = await keptFolder();
  await writePairs(folder, files);
  await succeed(...produceWords(row.chain, folder, run), '--pace', 'max', ...words);
}

/** Waits until so many files of the newest run are done. */
export const filesDone = (bridge: Bridge, files: number): Promise<unknown> =>
  bridge.until(`${files} files are done`, ({ run }) => run.filesDone === files);

/** Waits until so many files are done and the next has been begun. */
export const inMidFile = (bridge: Bridge, filesBefore = 1): Promise<unknown> =>
  bridge.until('the bridge is in the middle of a file', ({ run, current }) => {
    const { slicesDone, slices } = current ?? { slicesDone: 0, slices: 0 };
    return run.filesDone >= filesBefore && slicesDone > 0 && slicesDone < (slices ?? Infinity);
  });

export const processorsOf = (clients: readonly ClientState[]): ClientState[] =>
  clients.filter(({ role, engine }) => role === 'processor' && engine !== null);

/** Waits until exactly so many processors have engines. */
export async function processors(bridge: Bridge, count: number): Promise<ClientState[]> {
  const isSo = (clients: readonly ClientState[]): boolean => processorsOf(clients).length === count;
  const { clients } = await bridge.until(`${count} processors`, (state) => isSo(state.clients));
  return processorsOf(clients);
}

/** Waits until an alarm of this code has been raised, and returns its newest message. */
export async function alarm(bridge: Bridge, code: string): Promise<string> {
  const { alarms } = await bridge.until(`the alarm ${code}`, (state) =>
    state.alarms.some((each) => each.code === code),
  );
  return alarms.find((each) => each.code === code)?.message ?? '';
}
