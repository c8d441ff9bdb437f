/** The machine itself: Node, processors, memory. */
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import type { Finding, Health } from './report.ts';

/** As package.json asks for. */
const LEAST_NODE = [20, 19] as const;
/** Bridge (300 MB), processor and their buffers; with a browser beside them twice that. */
const COMFORTABLE_MEMORY_BYTES = 2e9;
/** One for the bridge, whose one thread receives and sends, one for the engine. */
const COMFORTABLE_CORES = 2;

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

const finding = (
  what: string,
  isWell: boolean,
  found: string,
  advice: string,
  otherwise: Health,
): Finding => ({
  part: 'machine',
  what,
  health: isWell ? 'well' : otherwise,
  found,
  advice: isWell ? null : advice,
});

export function isNodeNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [least, leastMinor] = LEAST_NODE;
  return major > least || (major === least && minor >= leastMinor);
}

export function examineMachine(): Finding[] {
  const node = process.versions.node;
  const cores = availableParallelism();
  const model = cpus()[0]?.model.trim() ?? 'unnamed processor';
  const memory = totalmem();
  return [
    finding(
      'Node',
      isNodeNewEnough(node),
      node,
      `install Node ${LEAST_NODE.join('.')} or newer: https://nodejs.org`,
      'bad',
    ),
    finding(
      'cores',
      cores >= COMFORTABLE_CORES,
      `${cores}, ${model}`,
      'bridge and engine share one core: let a browser on another machine compute',
      'note',
    ),
    finding(
      'memory',
      memory >= COMFORTABLE_MEMORY_BYTES,
      `${gigabytes(memory)}, ${gigabytes(freemem())} free`,
      `bridge, processor and a browser want ${gigabytes(COMFORTABLE_MEMORY_BYTES)}`,
      'note',
    ),
  ];
}
