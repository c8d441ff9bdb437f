/** Memory of a process and its descendants, from Linux's /proc; 0 where there is none. */
import { readdirSync, readFileSync } from 'node:fs';

interface Member {
  readonly pid: number;
  readonly parent: number;
  readonly bytes: number;
}

/** Private memory as far as it is resident: shared pages would count once for each of Chrome's processes. */
export function familyBytes(root: number): number {
  const members = everybody();
  const family = new Set([root]);
  for (let before = 0; before < family.size; ) {
    before = family.size;
    for (const { pid, parent } of members) if (family.has(parent)) family.add(pid);
  }
  return members.reduce((sum, { pid, bytes }) => (family.has(pid) ? sum + bytes : sum), 0);
}

function everybody(): Member[] {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return [];
  }
  return names.filter((name) => /^\d+$/.test(name)).flatMap((name) => memberOf(Number(name)));
}

/** Nothing for a process that has ended meanwhile. */
function memberOf(pid: number): Member[] {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    return [{ pid, parent: field('PPid'), bytes: field('RssAnon') * 1024 }];
  } catch {
    return [];
  }
}
