/** What a page holds: heaps, nodes and listeners as its browser counts them after a collection, and its processes. */
import { readdirSync, readFileSync } from 'node:fs';
import { Devtools, type Tab } from '../browser/devtools.ts';

export interface PageMemory {
  readonly pageHeapMb: number;
  /** All workers of the page together. */
  readonly workerHeapMb: number;
  readonly nodes: number;
  readonly listeners: number;
  readonly canvases: number;
  /** Private resident memory of the page's process and of the one that draws for it. */
  readonly rendererMb: number;
  readonly gpuMb: number;
}

/** Processes of this profile's browser that are such. */
export const processesOf = (profile: string, type: 'renderer' | 'gpu-process'): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const words = textOf(pid, 'cmdline');
      return words.includes(profile) && words.includes(`--type=${type}`);
    })
    .map(Number);

/** Empty for a process that has ended meanwhile. */
function textOf(pid: number | string, name: 'cmdline' | 'status'): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

/** MB (1e6 bytes) of private resident memory: shared pages would count once for each process. */
const processMb = (profile: string, type: 'renderer' | 'gpu-process'): number =>
  processesOf(profile, type).reduce((sum, pid) => {
    const match = /^RssAnon:\s+(\d+) kB$/m.exec(textOf(pid, 'status'));
    return sum + (Number(match?.[1] ?? 0) * 1024) / 1e6;
  }, 0);

/** Connects, collects what nobody holds, asks, and goes. */
export async function pageMemory(tab: Tab, profile: string): Promise<PageMemory> {
  const devtools = await Devtools.open(tab);
  try {
    const autoAttach = { autoAttach: true, waitForDebuggerOnStart: false, flatten: true };
    await devtools.ask('Target.setAutoAttach', autoAttach);
    const workers = devtools.events
      .filter(({ method }) => method === 'Target.attachedToTarget')
      .map(({ params }) => params['sessionId'] as string);
    let workerHeapMb = 0;
    for (const worker of workers) workerHeapMb += await heapMb(devtools, worker);
    const pageHeapMb = await heapMb(devtools);
    await devtools.ask('Performance.enable');
    const { metrics } = (await devtools.ask('Performance.getMetrics')) as {
      metrics: readonly { readonly name: string; readonly value: number }[];
    };
    const metric = (wanted: string): number =>
      metrics.find(({ name }) => name === wanted)?.value ?? Number.NaN;
    const canvases = await devtools.evaluate("document.querySelectorAll('canvas').length");
    return {
      pageHeapMb,
      workerHeapMb,
      nodes: metric('Nodes'),
      listeners: metric('JSEventListeners'),
      canvases: canvases as number,
      rendererMb: processMb(profile, 'renderer'),
      gpuMb: processMb(profile, 'gpu-process'),
    };
  } finally {
    devtools.close();
  }
}

/** Array buffers included: they are what spectra are made of. */
async function heapMb(devtools: Devtools, session?: string): Promise<number> {
  // Twice: what finalisers let go of in the first collection is there for the second.
  await devtools.ask('HeapProfiler.collectGarbage', {}, session);
  await devtools.ask('HeapProfiler.collectGarbage', {}, session);
  const { usedSize, backingStorageSize } = await devtools.ask('Runtime.getHeapUsage', {}, session);
  return ((usedSize as number) + ((backingStorageSize as number | undefined) ?? 0)) / 1e6;
}
