/** `analyze` and `produce` on a bucket, over HTTP, from a real S3 server. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, onTestFinished, test, vi } from 'vitest';
import { readTopic, type TopicRecord } from '../broker/read-topic.ts';
import { S3Server } from '../s3.ts';
import { type Chain, newChain, produceWords } from './chain.ts';
import { freePort, run, succeed } from './haloscope.ts';
import { keptFolder } from './kept.ts';
import { recordMany, writePairs } from './samples.ts';

const BUCKET = 'archive';
const FIRST_INSTALL_MS = 300_000;

let server: S3Server;
let folder: string;
let wanted: string;

/** No credentials of this machine are to be found, nor its cloud be asked. */
const NO_CREDENTIALS = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_SESSION_TOKEN: undefined,
  AWS_PROFILE: undefined,
  AWS_REGION: undefined,
  AWS_DEFAULT_REGION: undefined,
  AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
  AWS_CONFIG_FILE: '/nowhere',
  AWS_EC2_METADATA_DISABLED: 'true',
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'haloscope-s3-'));
  await writePairs(folder, recordMany(1, 3, 300));
  wanted = (await succeed('analyze', folder, '--settle', '0')).stdout;
  server = await S3Server.start();
  await server.createBucket(BUCKET);
  await server.putFolder(BUCKET, 'runs/run404', folder);
}, FIRST_INSTALL_MS);

afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  for (const [name, value] of Object.entries(NO_CREDENTIALS)) vi.stubEnv(name, value);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});
afterEach(() => vi.unstubAllEnvs());

/** Words for `topics` that name broker and topics. */
const kafkaWords = ({ brokers, topicIn, topicOut }: Chain): string[] => {
  const topics = ['--topic-in', topicIn, '--topic-out', topicOut];
  return ['--brokers', brokers, ...topics];
};

const from = (url: string, endpoint = server.endpoint, ...words: string[]) =>
  run('analyze', url, '--endpoint', endpoint, ...words);

test('a prefix is as good as a folder: the very same bytes come out', async () => {
  for (const url of ['s3://archive/runs/run404', 's3://archive/runs/run404/', 's3://archive/runs']) {
    const done = await from(url);
    expect([done.status, done.stdout]).toEqual([0, wanted]);
  }
  const json = await from('s3://archive/runs/run404', server.endpoint, '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ run: 'run404', files: 3, slices: 900 });
});

test('a prefix is no beginning of another name; an orphan is named; more than one page is listed', async () => {
  await server.put(BUCKET, 'run4040/duck_i_00001.dat', new Uint8Array(8 * 3072));
  expect((await from('s3://archive/run40')).stderr).toContain('no duck_i_NNNNN.dat');
  const orphan = await from('s3://archive/run4040');
  expect(orphan.status).toBe(1);
  expect(orphan.stderr).toContain('s3://archive/run4040/duck_i_00001.dat: duck_q_00001.dat is not there');
  // A page of a listing holds 1000 keys.
  await server.createBucket('many');
  for (let k = 0; k < 1100; k += 50)
    await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        server.put('many', `m/${String(k + n).padStart(4, '0')}.txt`, 'x'),
      ),
    );
  await server.putFolder('many', 'm/z', folder);
  const many = await from('s3://many/m');
  expect(many.stdout).toBe(wanted);
  expect(many.stderr).toContain('"files":1100');
});

/** What a record says, whatever the time and place. */
const contentOf = ({ partition, key, value, headers }: TopicRecord): string => {
  const { 'hs-utc': _, ...others } = headers;
  return JSON.stringify([partition, key.toString('hex'), value.toString('base64'), others]);
};

test('produce sends a prefix as it sends a folder, and goes on where the topic ends', async () => {
  const chains = [
    await newChain(inject('kafka')['4.4.0']),
    await newChain(inject('kafka')['4.4.0']),
  ] as const;
  const words = ['--pace', 'max', '--settle', '0'];
  const topics: string[][] = [];
  for (const [k, place] of [folder, 's3://archive/runs/run404'].entries()) {
    const chain = chains[k] as (typeof chains)[number];
    await succeed('topics', 'create', ...kafkaWords(chain));
    const produce = [...produceWords(chain, place, 'run404'), ...words, '--endpoint', server.endpoint];
    // One file first, so that the second call has to find its samples in the topic.
    await succeed(...produce, '--files', '1-1');
    const { stdout } = await succeed(...produce);
    expect(stdout).toContain('2 pairs of run404');
    expect(stdout).toContain('1 were there before, 0 problems');
    topics.push((await readTopic(chain.brokers, chain.topicIn)).map(contentOf).toSorted());
  }
  expect(topics[0]?.length).toBeGreaterThan(20);
  expect(topics[1]).toEqual(topics[0]);
});

/** A way to the server that breaks connections when more than so many bytes have been answered, so many times. */
async function breakingProxy(
  bytes: number,
  times: number,
): Promise<{ endpoint: string; breaks: () => number }> {
  const port = await freePort();
  let broken = 0;
  const proxy: Server = createServer((client) => {
    const upstream = connect(server.port, '127.0.0.1');
    let passed = 0;
    client.on('error', () => {}).on('close', () => upstream.destroy());
    upstream.on('error', () => {}).on('close', () => client.end());
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      passed += chunk.length;
      if (passed > bytes && broken < times) {
        broken++;
        client.resetAndDestroy();
      } else client.write(chunk);
    });
  });
  proxy.listen(port, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => void proxy.close());
  return { endpoint: `http://127.0.0.1:${port}`, breaks: () => broken };
}

test('a stream that breaks is continued where it broke', async () => {
  const proxy = await breakingProxy(500_000, 6);
  const done = await from('s3://archive/runs/run404', proxy.endpoint);
  expect([done.status, done.stdout]).toEqual([0, wanted]);
  expect(proxy.breaks()).toBe(6);
});

test('a server that breaks every stream costs the files, with their names, and ends', async () => {
  const proxy = await breakingProxy(5_000, Infinity);
  const done = await from('s3://archive/runs/run404', proxy.endpoint);
  expect(done.status).toBe(1);
  expect(done.stdout).toBe('');
  expect(done.stderr).toMatch(/s3:\/\/archive\/runs\/run404\/duck_[iq]_00001\.dat: cannot be read/);
});

test('credentials are those of the profile, as the AWS tools read it', async () => {
  const home = await keptFolder();
  const credentials = '[night]\naws_access_key_id = AKIDNIGHT\naws_secret_access_key = secret\n';
  await writeFile(join(home, 'credentials'), credentials);
  for (const [name, value] of Object.entries(NO_CREDENTIALS)) vi.stubEnv(name, value);
  const without = await from('s3://archive/runs/run404');
  expect(without.status).toBe(1);
  expect(without.stderr).toContain('set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(home, 'credentials'));
  vi.stubEnv('AWS_PROFILE', 'night');
  expect((await from('s3://archive/runs/run404')).stdout).toBe(wanted);
});

test('what cannot be reached says what to do; status 1, and 2 for an address that is none', async () => {
  const broker = ['--brokers', inject('kafka')['4.4.0']];
  const cases: readonly (readonly [number, string, Promise<{ status: number | null; stderr: string }>])[] = [
    [1, 'there is no such bucket', from('s3://nothing/there')],
    [1, 'the server does not answer', from('s3://archive/x', `http://127.0.0.1:${await freePort()}`)],
    [2, 'expected s3://BUCKET/PREFIX', from('s3://')],
    [
      1,
      'there is no such bucket',
      run('produce', 's3://nothing/there', '--endpoint', server.endpoint, ...broker),
    ],
    [2, '--endpoint: expected a URL', from('s3://archive/x', 'localhost')],
    [2, '--sigmf: expected pairs on a disk', from('s3://archive/x', server.endpoint, '--sigmf')],
  ];
  for (const [status, text, done] of cases) {
    expect((await done).stderr).toContain(text);
    expect((await done).status).toBe(status);
  }
});
