/**
 * Plain HTTP on a TLS port: somebody left the `s` out. TLS begins with byte 22; anything else gets one answer,
 * which leads to the right address, and is closed. A token is in the fragment of the address and never arrives.
 */
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import { bareResponse } from '../security.ts';

/** First byte of a TLS record that begins a handshake. */
const TLS_HANDSHAKE = 22;
/** A client speaks first, in HTTP as in TLS. */
const FIRST_BYTE_MS = 10_000;
/** Host and path beyond these are nothing that a person has typed. */
const REQUEST = /^(?:GET|HEAD) (\/[\x21-\x7e]{0,2000}) HTTP\/1\.[01]\r\n/;
const HOST = /\r\nhost:[ \t]*([\x21-\x7e]{1,300})[ \t]*\r\n/i;

export interface TlsDoor {
  /** Ends every connection, those in the middle of a handshake included. */
  close(): void;
}

/** Stands before the TLS of a server that does not listen yet. */
export function guardTlsPort(server: Server, isOurHost: (host: string | undefined) => boolean): TlsDoor {
  const toTls = server.listeners('connection');
  const open = new Set<Socket>();
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    const giveUp = (): void => void socket.destroy();
    socket.setTimeout(FIRST_BYTE_MS, giveUp);
    socket.once('readable', () => {
      const head = socket.read() as Buffer | null;
      if (head === null) return giveUp();
      socket.setTimeout(0).off('timeout', giveUp);
      if (head[0] !== TLS_HANDSHAKE) return void socket.end(answer(head, isOurHost));
      socket.unshift(head);
      for (const listener of toTls) listener.call(server, socket);
    });
  });
  return {
    close: () => {
      for (const socket of open) socket.destroy();
    },
  };
}

function answer(head: Buffer, isOurHost: (host: string | undefined) => boolean): string {
  const request = head.toString('latin1');
  const path = REQUEST.exec(request)?.[1];
  const host = HOST.exec(request)?.[1];
  const isKnown = path !== undefined && host !== undefined && isOurHost(host);
  return bareResponse(
    isKnown ? 307 : 400,
    'This port speaks TLS: the address of this bridge begins with https://\n',
    isKnown ? { Location: `https://${host}${path}` } : {},
  );
}
