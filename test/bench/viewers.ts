/** A crowd of viewers, some of which stop reading: what a control room's screens are to the bridge. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { SOCKET_PATHS } from '../../bridge/protocol/control.ts';
import { PROTOCOL_VERSION } from '../../bridge/protocol/frames.ts';
import { decodeSpectrum } from '../../bridge/protocol/frames/spectrum.ts';

export interface Crowd {
  /** Spectra that the reading ones have received. */
  readonly spectra: () => number;
  close(): void;
}

/** @param stalled how many of them never read after the greeting */
export async function openViewers(url: string, viewers: number, stalled: number): Promise<Crowd> {
  let spectra = 0;
  const sockets: WebSocket[] = [];
  for (let k = 0; k < viewers; k++) {
    const socket = await openViewer(url, () => spectra++);
    if (k < stalled) socket.pause();
    sockets.push(socket);
  }
  return {
    spectra: () => spectra,
    close: () => {
      for (const socket of sockets) socket.terminate();
    },
  };
}

async function openViewer(url: string, seen: () => void): Promise<WebSocket> {
  const address = new URL(SOCKET_PATHS.viewer, url);
  address.protocol = 'ws:';
  const socket = new WebSocket(address, { origin: new URL(url).origin, perMessageDeflate: false });
  socket.binaryType = 'arraybuffer';
  await once(socket, 'open');
  socket.on('message', (data, isBinary) => {
    if (!isBinary) return;
    seen();
    socket.send(JSON.stringify({ type: 'seen', sequence: decodeSpectrum(data as ArrayBuffer).sequence }));
  });
  const hello = {
    type: 'hello',
    protocol: PROTOCOL_VERSION,
    software: 'bench',
    role: 'viewer',
    headless: false,
  };
  socket.send(JSON.stringify(hello));
  return socket;
}
