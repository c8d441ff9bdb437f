/** SIGINT and SIGTERM as an abort: the first asks to finish what is in hand, a second one ends the process. */

export function stopSignal(stopping: (signal: NodeJS.Signals) => void): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      if (controller.signal.aborted) return;
      stopping(name);
      controller.abort();
    });
  }
  return controller.signal;
}

/** Aborts so long after `stop` does: for what may be finished, but not for ever. */
export function giveUpSignal(stop: AbortSignal, afterMs: number): AbortSignal {
  const controller = new AbortController();
  const wait = (): void => void setTimeout(() => controller.abort(), afterMs).unref();
  if (stop.aborted) wait();
  else stop.addEventListener('abort', wait, { once: true });
  return controller.signal;
}
