import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type WebSocket as Socket, WebSocket, WebSocketServer } from 'ws';
import { decodeBlock, encodeBlockHeader } from '../../bridge/protocol/frames/block.ts';
import { encodeSpectrum, decodeSpectrum } from '../../bridge/protocol/frames/spectrum.ts';
import { flat } from '../server/source.ts';
import { BINS, blockFrame, detach } from './samples.ts';

/** Both ends of a connection, and all that arrives at the second. */
async function pair(): Promise<{
  from: Socket;
  received: ArrayBuffer[];
  arrived: (count: number) => Promise<void>;
}> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  onTestFinished(() => {
    server.close();
  });
  await new Promise((resolve) => server.once('listening', resolve));
  const joined = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const to = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => to.terminate());
  to.binaryType = 'arraybuffer';
  const received: ArrayBuffer[] = [];
  let notify = (): void => {};
  to.on('message', (data: ArrayBuffer) => {
    received.push(data);
    notify();
  });
  const arrived = (count: number): Promise<void> =>
    new Promise((resolve) => {
      notify = () => {
        if (received.length >= count) resolve();
      };
      notify();
    });
  return { from: await joined, received, arrived };
}

const block = blockFrame(
  encodeBlockHeader({ block: 1, epoch: 2, file: 3, bins: BINS, clipLevel: 1, segments: [{ slices: 1 }] }),
  BINS * 2,
);
const spectrum = detach(encodeSpectrum({ ...flat('run', 7), sequence: 5 }));

test.each([
  ['block', block, decodeBlock],
  ['spectrum', spectrum, decodeSpectrum],
] as const)('a %s frame is the same at every split into two fragments', async (_, frame, decode) => {
  const { from, received, arrived } = await pair();
  const bytes = Buffer.from(frame);
  for (let at = 0; at <= bytes.length; at++) {
    from.send(bytes.subarray(0, at), { binary: true, fin: false });
    from.send(bytes.subarray(at), { binary: true, fin: true });
  }
  await arrived(bytes.length + 1);
  expect(received).toHaveLength(bytes.length + 1);
  for (const data of received) {
    expect(Buffer.from(data).equals(bytes)).toBe(true);
    // Views need their alignment, whatever buffer the fragments were put together in.
    expect(() => decode(data)).not.toThrow();
  }
});

test('a block is the same when every byte is a fragment', async () => {
  const { from, received, arrived } = await pair();
  const bytes = Buffer.from(block);
  for (let at = 0; at < bytes.length; at++)
    from.send(bytes.subarray(at, at + 1), { binary: true, fin: at === bytes.length - 1 });
  await arrived(1);
  expect(decodeBlock(received[0] as ArrayBuffer)).toEqual(decodeBlock(block));
});
