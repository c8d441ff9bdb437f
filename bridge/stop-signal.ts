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
