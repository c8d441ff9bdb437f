/** CPU time and memory of a process and its descendants, from Linux's /proc; NaN elsewhere. */
import { readdirSync, readFileSync } from 'node:fs';

/** `sysconf(_SC_CLK_TCK)`: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const SAMPLE_MS = 200;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuSeconds: number;
}

/** Fields of /proc/PID/stat behind the name, which may hold spaces: state, ppid, … utime (11), stime (12). */
function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { pid, parent: Number(fields[1]), cpuSeconds: ticks / TICKS_PER_SECOND };
  } catch {
    return undefined;
  }
}

function allStats(): Stat[] {
  try {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.map((pid) => statOf(Number(pid))).filter((stat) => stat !== undefined);
  } catch {
    return [];
  }
}

/** Seconds of CPU that the process and its living descendants have used. */
export function cpuSeconds(root: number): number {
  const stats = allStats();
  if (stats.length === 0) return Number.NaN;
  const family = new Set([root]);
  for (let before = 0; before < family.size; ) {
    before = family.size;
    for (const { pid, parent } of stats) if (family.has(parent)) family.add(pid);
  }
  return stats.filter(({ pid }) => family.has(pid)).reduce((sum, stat) => sum + stat.cpuSeconds, 0);
}

/** Resident memory of one process in MB (1e6 bytes). */
export const residentMb = (pid: number): number => statusMb(pid, 'VmRSS');

/** The most that it has been so far. */
export const peakResidentMb = (pid: number): number => statusMb(pid, 'VmHWM');

function statusMb(pid: number, field: string): number {
  try {
    const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(
      readFileSync(`/proc/${pid}/status`, 'utf8'),
    );
    return (Number(match?.[1]) * 1024) / 1e6;
  } catch {
    return Number.NaN;
  }
}

/** Resident MB of a process five times a second until the work is done, and what came of the work. */
export async function sampleMb<T>(
  pid: number,
  work: Promise<T>,
): Promise<{ readonly values: readonly number[]; readonly done: T }> {
  const values: number[] = [];
  const timer = setInterval(() => values.push(residentMb(pid)), SAMPLE_MS);
  try {
    return { done: await work, values };
  } finally {
    clearInterval(timer);
  }
}

export interface Watched {
  readonly name: string;
  readonly pid: number;
}

/** Starts counting; the answer gives the CPU seconds of each process since. */
export function countCpu(processes: readonly Watched[]): () => Map<string, number> {
  const before = processes.map(({ pid }) => cpuSeconds(pid));
  return () => new Map(processes.map(({ name, pid }, k) => [name, cpuSeconds(pid) - (before[k] as number)]));
}
