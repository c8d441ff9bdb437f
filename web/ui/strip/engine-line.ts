/**
 * Which engine makes the spectra that this page shows, how fast, and why that one.
 */
import type { BridgeState, ClientRole, ClientState } from '../../../bridge/protocol/state.ts';
import type { EngineDescription } from '../../engine/engine.ts';

export interface EngineLine {
  readonly name: string;
  readonly why: string;
  readonly msPerFile: number | null;
}

/** «GPU NVIDIA RTX 4090», «CPU WebAssembly SIMD, 2 workers»; nothing is said twice. */
export function engineName({ kind, name }: Pick<EngineDescription, 'kind' | 'name'>): string {
  const unit = kind === 'gpu' ? 'GPU' : 'CPU';
  return name.toUpperCase().includes(unit) ? name : `${unit} ${name}`;
}

const processors = (state: BridgeState | null): readonly ClientState[] =>
  state?.clients.filter((client) => client.role === 'processor' && client.engine !== null) ?? [];

/** A processor shows its own engine; a viewer shows that of whoever works for it. */
export function engineLine(
  own: EngineDescription | null,
  role: ClientRole | null,
  state: BridgeState | null,
  clientId: string | null,
): EngineLine {
  const working = processors(state);
  if (role === 'processor' && own !== null) {
    const me = working.find((client) => client.id === clientId);
    return { name: engineName(own), why: own.why, msPerFile: me?.msPerFile ?? null };
  }
  const other = working[0];
  if (other?.engine)
    return {
      name: engineName(other.engine),
      why: `${other.headless ? 'headless processor' : 'another page'}${working.length > 1 ? ` and ${working.length - 1} more` : ''}: ${other.engine.why}`,
      msPerFile: other.msPerFile,
    };
  if (own !== null) return { name: engineName(own), why: own.why, msPerFile: null };
  return { name: state === null ? '–' : 'no engine', why: '', msPerFile: null };
}
