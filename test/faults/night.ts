/** A night of a few files, sent while a test lets something fail: long enough to be in the middle of one. */
import { type Bridge, succeed } from '../e2e/haloscope.ts';
import { produceWords } from '../e2e/chain.ts';
import { keptCommand, keptFolder } from '../e2e/kept.ts';
import { type Recording, recordMany, writePairs } from '../e2e/samples.ts';
import type { ClientState } from '../../bridge/protocol/state.ts';
import type { Row } from './row.ts';

const RUN = 'night';

export interface Night {
  readonly outcome: { readonly complete: Readonly<Record<string, readonly Recording[]>> };
  /** Sends all files at once: a backlog. */
  sendAll(): Promise<void>;
  /** Sends a file every so many seconds, and returns at once; the promise ends with the last. */
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
    send: (paceSeconds) => {
      const producer = keptCommand(...words, '--pace', String(paceSeconds));
      return {
        sent: async () => {
          const { status, stderr } = await producer.finished();
          if (status !== 0) throw new Error(`produce ended with ${status}:\n${stderr}`);
        },
      };
    },
  };
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
