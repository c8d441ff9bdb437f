/**
 * What the address asks of the worker: `?engine=auto|gpu|cpu` and `?role=processor|viewer`.
 */
import type { ClientRole } from '../../bridge/protocol/state.ts';

export interface MonitorRequest {
  readonly engine: 'auto' | 'gpu' | 'cpu';
  readonly role: ClientRole | 'auto';
}

/** Anything else is `auto`. */
export function readRequest(query: URLSearchParams): MonitorRequest {
  const engine = query.get('engine');
  const role = query.get('role');
  return {
    engine: engine === 'gpu' || engine === 'cpu' ? engine : 'auto',
    role: role === 'processor' || role === 'viewer' ? role : 'auto',
  };
}
