/** Engines live in a worker, which asks the server for work by itself; its trouble is the title of the page. */
const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: location.search });
worker.addEventListener('error', ({ message }) => {
  document.title = message;
});
