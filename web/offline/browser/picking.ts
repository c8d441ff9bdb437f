/**
 * The ways by which files come to the page: dropped, picked one by one, or picked as a folder.
 *
 * What Chromium alone has (handles, which outlive a reload) is not in TypeScript's own types of the browser.
 */
import type { Root } from './gather.ts';

export type Handle = FileSystemFileHandle | FileSystemDirectoryHandle;

interface WithHandles {
  getAsFileSystemHandle?(): Promise<Handle | null>;
}
interface WithPickers {
  showDirectoryPicker?(options: { readonly id: string; readonly mode: 'read' }): Promise<Handle>;
}
interface WithPermission {
  queryPermission?(wanted: { readonly mode: 'read' }): Promise<PermissionState>;
  requestPermission?(wanted: { readonly mode: 'read' }): Promise<PermissionState>;
}

/**
 * What was dropped. Has to be called while the event is being handled: afterwards there is nothing in it any more.
 * @returns nothing where no file was dropped
 */
export async function rootsOfDrop({ items }: DataTransfer): Promise<Root[]> {
  const asked = Array.from(items, async (item): Promise<Root | null> => {
    if (item.kind !== 'file') return null;
    const entry = item.webkitGetAsEntry();
    const file = item.getAsFile();
    // A handle is refused for folders of the system, which can then be read all the same as an entry.
    const handle = await (item as DataTransferItem & WithHandles).getAsFileSystemHandle?.().catch(() => null);
    return handle ?? entry ?? file;
  });
  const roots = await Promise.all(asked);
  return roots.filter((root) => root !== null);
}

/** Whether a person can pick a folder so that it is found again after a reload. */
export const canPickFolder = (): boolean => typeof (window as WithPickers).showDirectoryPicker === 'function';

/** Null when the person has thought better of it. */
export async function pickFolder(): Promise<Root | null> {
  try {
    return (await (window as WithPickers).showDirectoryPicker?.({ id: 'haloscope', mode: 'read' })) ?? null;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null;
    throw error;
  }
}

/** Those that are found again after a reload; null where one of them is not. */
export function handlesOf(roots: readonly Root[]): Handle[] | null {
  const handles = roots.filter((root): root is Handle => 'kind' in root);
  return handles.length === roots.length ? handles : null;
}

/** Asks again, where the browser wants to be asked: at once after a click, or it refuses. */
export async function mayRead(handles: readonly Handle[]): Promise<boolean> {
  for (const handle of handles as readonly (Handle & WithPermission)[]) {
    const now = await handle.queryPermission?.({ mode: 'read' });
    if (now !== 'granted' && (await handle.requestPermission?.({ mode: 'read' })) !== 'granted') return false;
  }
  return true;
}
