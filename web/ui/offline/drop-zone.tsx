/**
 * The whole window takes files: what is dropped anywhere goes to the intake, and never makes the browser leave the
 * page for the file, as it otherwise would.
 */
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Root } from '../../offline/browser/gather.ts';
import { canPickFolder, pickFolder, rootsOfDrop } from '../../offline/browser/picking.ts';

export type Take = (roots: readonly Root[]) => void;

const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;

export function DropZone({ take }: { take: Take }) {
  const isOver = useSignal(false);
  // With the first picture, not after it: a browser leaves the page for a file that nobody takes.
  useLayoutEffect(() => {
    let inside = 0;
    const over = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      if (event.dataTransfer !== null) event.dataTransfer.dropEffect = 'copy';
    };
    // Entering an element inside comes before leaving the one around it.
    const enter = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      inside += 1;
      isOver.value = true;
    };
    const leave = (event: DragEvent): void => {
      if (!hasFiles(event)) return;
      inside -= 1;
      isOver.value = inside > 0;
    };
    const drop = (event: DragEvent): void => {
      if (!hasFiles(event) || event.dataTransfer === null) return;
      event.preventDefault();
      inside = 0;
      isOver.value = false;
      void rootsOfDrop(event.dataTransfer).then(take);
    };
    const stop = new AbortController();
    const { signal } = stop;
    window.addEventListener('dragover', over, { signal });
    window.addEventListener('dragenter', enter, { signal });
    window.addEventListener('dragleave', leave, { signal });
    window.addEventListener('drop', drop, { signal });
    return () => stop.abort();
  }, [take, isOver]);
  return (
    <p class="drop-veil" hidden={!isOver.value}>
      Drop: everything is read here, and nothing leaves this computer
    </p>
  );
}

/** Not known to the types of Preact. */
const A_FOLDER = { webkitdirectory: true };

/** Buttons that open the system's own dialogs: what a drop does, for the keyboard. */
export function PickButtons({ take }: { take: Take }) {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const openFolder = (): void => {
    if (!canPickFolder()) return folder.current?.click();
    void pickFolder().then((root) => {
      if (root !== null) take([root]);
    });
  };
  const changed = (event: Event): void => {
    const input = event.currentTarget as HTMLInputElement;
    take(Array.from(input.files ?? []));
    // The same files can be picked again.
    input.value = '';
  };
  return (
    <span class="pick-buttons">
      <button type="button" class="plain pick-folder" onClick={openFolder}>
        Choose a folder…
      </button>
      <button type="button" class="plain pick-files" onClick={() => files.current?.click()}>
        Choose files…
      </button>
      <input ref={files} type="file" multiple hidden aria-label="Files" onChange={changed} />
      <input ref={folder} type="file" {...A_FOLDER} hidden aria-label="Folder" onChange={changed} />
    </span>
  );
}
