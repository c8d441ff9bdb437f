import { machineHosts } from '../../bridge/server/hosts.ts';
import { expect, test } from 'vitest';
import { addressesOf } from '../../bridge/server/addresses.ts';

const at = (
  host: string,
  certificateHosts: readonly string[] | null,
  publicOrigins: readonly string[] = [],
) =>
  addressesOf({ listen: { host, port: 0 }, port: 8443, publicOrigins, certificateHosts }).map(
    ({ url, isSecure }) => `${isSecure ? 'webgpu' : 'none'} ${url}`,
  );

test('plain HTTP has WebGPU on this machine only', () => {
  expect(at('192.0.2.7', null)).toEqual(['none http://192.0.2.7:8443/']);
  expect(at('127.0.0.1', null)).toContain('webgpu http://127.0.0.1:8443/');
  const everywhere = at('0.0.0.0', null);
  expect(everywhere).toContain('webgpu http://localhost:8443/');
  for (const host of machineHosts().filter((name) => !name.includes(':') && name !== '127.0.0.1'))
    expect(everywhere).toContain(`none http://${host}:8443/`);
  expect(everywhere.join(' ')).not.toContain('[');
});

test('over TLS, every name of the certificate has it, where the server listens', () => {
  const names = ['localhost', '127.0.0.1', 'daq.example.org', '*.example.org', '192.0.2.7'];
  expect(at('192.0.2.7', names)).toEqual([
    'webgpu https://daq.example.org:8443/',
    'webgpu https://192.0.2.7:8443/',
  ]);
  expect(at('::', names)).toHaveLength(4);
});

test('public URLs come first, with their own scheme and port', () => {
  const origins = ['https://daq.example.org', 'http://plain.example.org'];
  expect(at('192.0.2.7', ['daq.example.org', '192.0.2.7'], origins)).toEqual([
    'webgpu https://daq.example.org/',
    'none http://plain.example.org/',
    'webgpu https://192.0.2.7:8443/',
  ]);
});
