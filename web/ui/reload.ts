/**
 * When a page loads itself again, and never in circles.
 *
 * A page that is older than what its bridge serves reloads itself where nobody can be asked (kiosk), or where it is of
 * no use any more because the bridge speaks another protocol; otherwise it offers to. Builds are told by the names of
 * their files, which hold hashes, so every rebuild counts, whatever its version number.
 */
import { effect } from '@preact/signals';
import { SOFTWARE } from '../../bridge/protocol/software.ts';
import type { Connection } from '../worker/updates.ts';
import type { Model } from './model/model.ts';

/** The bridge is of another version, but its page is not there yet: the build may be running. */
const AGAIN_MS = 30_000;
/** Two bridges of different builds behind one address would be reloaded to and fro. */
const SHORTEST_LIFE_MS = 60_000;

/** Ours are relative; what an extension of the browser adds is not. */
const FILE = /(?:src|href)="(\.\/[^"]+\.(?:js|css))"/g;

/** Names of the scripts and style sheets that a page begins with; empty for a text that is no page of ours. */
export const buildOf = (html: string): string => [...html.matchAll(FILE)].map(([, path]) => path).join(' ');

/** Before anything has been loaded on demand, which adds to the page's head. */
const ownBuild = typeof document === 'undefined' ? '' : buildOf(document.head.innerHTML);

/** Another build that the bridge serves, and serves whole; null where there is none. */
async function otherBuild(): Promise<string | null> {
  const response = await fetch(location.pathname, { cache: 'no-store' });
  if (!response.ok) return null;
  const build = buildOf(await response.text());
  if (build === '' || build === ownBuild) return null;
  const files = await Promise.all(build.split(' ').map((path) => fetch(new URL(path, document.baseURI))));
  return files.every(({ ok }) => ok) ? build : null;
}

const KEY = 'haloscope.reloaded';

/** Reloads for this build, unless that has been tried, or too short a time ago for another one. */
function reloadFor(build: string): void {
  try {
    const before = sessionStorage.getItem(KEY);
    if (before === build || (before !== null && performance.now() < SHORTEST_LIFE_MS)) return;
    sessionStorage.setItem(KEY, build);
    location.reload();
  } catch {
    // Without storage nothing can be remembered, and so nothing is reloaded.
  }
}

/** It may be served another build before it hears of it from its own bridge again. */
function isAstray(connection: Connection): boolean {
  if (connection.phase !== 'open') return connection.phase === 'refused';
  const { welcome, bridge } = connection;
  return welcome.software !== SOFTWARE || new URL(bridge).origin !== location.origin;
}

const isOtherProtocol = (connection: Connection): boolean =>
  connection.phase === 'refused' && connection.code === 'protocol';

/** Looks for another build whenever a bridge has answered, and from time to time while it is of another version. */
export function followBuild(model: Model): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  async function look(): Promise<void> {
    clearTimeout(timer);
    const connection = model.connection.peek();
    const build = await otherBuild().catch(() => null);
    model.isOutdated.value = build !== null;
    if (build !== null && (model.isKiosk || isOtherProtocol(connection))) reloadFor(build);
    clearTimeout(timer);
    if (build !== null || isAstray(connection)) timer = setTimeout(() => void look(), AGAIN_MS);
  }
  effect(() => {
    const connection = model.connection.value;
    if (connection.phase === 'open' || isOtherProtocol(connection)) void look();
  });
}

const POLICY_KEY = 'haloscope.bridges';

/** The page was sent before its bridge knew of these others; loaded again it may move to them. */
export function reloadForPolicy(bridges: string): void {
  try {
    if (sessionStorage.getItem(POLICY_KEY) === bridges) return;
    sessionStorage.setItem(POLICY_KEY, bridges);
    location.reload();
  } catch {
    // Without storage nothing can be remembered, and so nothing is reloaded.
  }
}
