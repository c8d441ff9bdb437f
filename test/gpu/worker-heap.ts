/** The heap of a page's worker, over the debugging protocol: workers cannot ask for it themselves. */
import type { CDPSession, Page } from 'playwright-core';

interface HeapUsage {
  readonly usedSize: number;
  /** Array buffers. */
  readonly backingStorageSize?: number;
}

/** Calls methods in the one worker of the page. */
class WorkerSession {
  readonly #session: CDPSession;
  readonly #id: string;
  #next = 0;

  constructor(session: CDPSession, id: string) {
    this.#session = session;
    this.#id = id;
  }

  call(method: string): Promise<unknown> {
    const id = ++this.#next;
    return new Promise((resolve, reject) => {
      const onMessage = ({ sessionId, message }: { sessionId: string; message: string }): void => {
        const answer = JSON.parse(message) as { id?: number; result?: unknown; error?: { message: string } };
        if (sessionId !== this.#id || answer.id !== id) return;
        this.#session.off('Target.receivedMessageFromTarget', onMessage);
        if (answer.error) reject(new Error(answer.error.message));
        else resolve(answer.result);
      };
      this.#session.on('Target.receivedMessageFromTarget', onMessage);
      const message = JSON.stringify({ id, method });
      this.#session.send('Target.sendMessageToTarget', { sessionId: this.#id, message }).catch(reject);
    });
  }
}

/** @returns a function that collects garbage and says how many bytes are in use */
export async function heapOfWorker(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  const attached = new Promise<string>((resolve) => {
    session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      if (targetInfo.type === 'worker') resolve(sessionId);
    });
  });
  await session.send('Target.setAutoAttach', {
    autoAttach: true,
    waitForDebuggerOnStart: false,
    flatten: false,
  });
  const worker = new WorkerSession(session, await attached);
  return async () => {
    for (let round = 0; round < 2; round++) await worker.call('HeapProfiler.collectGarbage');
    const { usedSize, backingStorageSize = 0 } = (await worker.call('Runtime.getHeapUsage')) as HeapUsage;
    return usedSize + backingStorageSize;
  };
}
