/**
 * The owner of the embedded store: a process, told apart from a later one that got the same number by the moment
 * at which it started. Nothing has to be cleaned up after a crash: an owner that does not live any more owns nothing.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Owner {
  readonly pid: number;
  /** When the process started, in whatever form the system tells it; empty where it does not. */
  readonly started: string;
}

export function thisProcess(): Owner {
  return { pid: process.pid, started: startOf(process.pid) ?? '' };
}

/** Whether the process that wrote `owner` still runs. Where in doubt it does: a store is never opened twice. */
export function isAlive(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it lives, but belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const started = startOf(owner.pid);
  if (started === null) return false;
  return started === '' || owner.started === '' || started === owner.started;
}

/** When a process started; null for one that has ended, empty where the system does not tell. */
function startOf(pid: number): string | null {
  if (process.platform === 'linux') return startOnLinux(pid);
  if (process.platform === 'win32') return '';
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

/** Field 22 of /proc/PID/stat, in clock ticks since the boot that is named with it; see proc(5). */
function startOnLinux(pid: number): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, field 2, is in parentheses and may itself contain blanks and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Killed, but not yet collected by its parent: it holds nothing any more.
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    return `${boot} ${fields[19] ?? ''}`;
  } catch {
    return '';
  }
}
