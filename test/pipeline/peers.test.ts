/** What pages are told of the bridges that share the input. */
import { expect, test } from 'vitest';
import type { Peer } from '../../bridge/log/port.ts';
import { Peers } from '../../bridge/peers.ts';

const peer = (machine: string, partitions: readonly number[], ...urls: readonly string[]): Peer => ({
  urls,
  machine,
  partitions,
});
const viewOf = (...peers: readonly Peer[]) => ({ partitions: [], peers });

test('loopback addresses of another machine are nobody here', () => {
  const peers = new Peers('daq1');
  const own = [
    'http://127.0.0.1:8081/',
    'http://[::1]:8081/',
    'http://localhost:8081/',
    'https://daq2:8080/',
  ];
  expect(peers.state(viewOf(peer('daq2', [0], ...own)))).toEqual({
    role: 'standby',
    partitions: [],
    peers: [{ urls: ['https://daq2:8080/'], isActive: true }],
  });
  expect(peers.state(viewOf(peer('daq1', [], ...own)))?.peers).toEqual([{ urls: own, isActive: false }]);
  expect(peers.state(null)).toBeNull();
});

test('origins are remembered when their bridge is gone, and not without end', () => {
  const peers = new Peers('daq1');
  peers.state(viewOf(peer('daq2', [], 'https://daq2:8080/')));
  expect([...peers.origins(viewOf())]).toEqual(['https://daq2:8080']);
  for (let port = 1; port <= 200; port++) peers.state(viewOf(peer('x', [], `https://daq3:${port}/`)));
  const origins = peers.origins(null);
  expect(origins.size).toBe(64);
  expect(origins.has('https://daq3:200')).toBe(true);
});
