/** A bridge on which the hour of `night.ts` stands still. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BridgeState } from '../../bridge/protocol/state.ts';
import type { BridgeServer } from '../../bridge/server/server.ts';
import { WEB_FOLDER } from '../e2e/staged-bridge.ts';
import { serve, temporaryFolder } from '../server/harness.ts';
import { TestSource } from '../server/source.ts';
import { fileSpectrum, GEOMETRY, history, LAST_FILE, NOW_MS, spectra } from './night.ts';

class StillSource extends TestSource {
  readonly #state: BridgeState;

  constructor(state: BridgeState) {
    super(GEOMETRY);
    this.#state = state;
  }

  override state(): BridgeState {
    return this.#state;
  }
}

/** The built page, whose worker's clock stands still; that of the page itself is a browser's to stop. */
function stillWeb(): string {
  const folder = temporaryFolder();
  cpSync(WEB_FOLDER, folder, { recursive: true });
  const assets = join(folder, 'assets');
  for (const name of readdirSync(assets).filter((it) => it.startsWith('worker-'))) {
    const path = join(assets, name);
    writeFileSync(path, `Date.now = () => ${NOW_MS};\n${readFileSync(path, 'utf8')}`);
  }
  return folder;
}

export interface Stage extends BridgeServer {
  /** Publishes a file as the latest. */
  tell(file: number): void;
}

/** Ends with the test. */
export async function stageNight(state: BridgeState, latest = LAST_FILE): Promise<Stage> {
  const source = new StillSource(state);
  const hasData = state.latest !== null;
  if (hasData) for (const spectrum of spectra(latest)) source.publish(spectrum);
  const server = await serve(source, {
    webFolder: stillWeb(),
    history: { query: () => (hasData ? history() : null) },
  });
  return { ...server, tell: (file) => source.publish(fileSpectrum(file)) };
}
