/** A file that is dropped on the live page would make the browser leave it, and the bridge lose its processor. */
import type { Model } from './model/model.ts';

export function refuseDrops(model: Model): void {
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
  window.addEventListener('dragover', (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  window.addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    const { href } = new URL('./offline.html', document.baseURI);
    model.message.value = `Files are measured on the offline page, ${href}: drop them there. This page goes on.`;
  });
}
