import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Command } from 'commander';
import { afterAll, expect, test } from 'vitest';
import {
  processOptions,
  produceOptions,
  serveOptions,
  simulateOptions,
  topicsOptions,
} from '../../bridge/config/checks.ts';
import { addOptions, flagsOf, readInvocation } from '../../bridge/config/command-line.ts';
import {
  COMMON,
  type OptionSpec,
  OPTIONS_OF_COMMAND,
  PROCESS,
  PRODUCE,
  SERVE,
  SIMULATE,
  TOPICS,
} from '../../bridge/config/declarations.ts';
import { editDistance, nearest } from '../../bridge/config/nearest.ts';
import {
  parseConfigFile,
  type Resolved,
  resolveOptions,
  type Specs,
  unknownVariables,
  variableOf,
} from '../../bridge/config/resolve.ts';
import { Secret } from '../../bridge/config/secret.ts';
import { UsageError } from '../../bridge/config/values.ts';

const scratch = mkdtempSync(join(tmpdir(), 'haloscope-config-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function scratchFile(name: string, content: string): string {
  const path = join(scratch, name);
  writeFileSync(path, content);
  return path;
}

/** Flags as commander reads them from words. */
function resolve<S extends Specs>(
  specs: S,
  command: string,
  words: readonly string[] = [],
  environment: NodeJS.ProcessEnv = {},
  file: string | null = null,
): Resolved<S> {
  const parsed = addOptions(new Command('x').exitOverride().configureOutput({ writeErr: () => {} }), specs);
  parsed.parse([...words], { from: 'user' });
  const config = file === null ? null : parseConfigFile('haloscope.config.json', file);
  return resolveOptions(specs, command, flagsOf(parsed), environment, config);
}

const serve = (words: readonly string[], environment: NodeJS.ProcessEnv = {}, file: string | null = null) =>
  serveOptions(resolve(SERVE, 'serve', words, environment, file), environment);

test('serve without anything is the simulated DAQ on loopback', () => {
  const options = serve([]);
  expect(options).toMatchObject({
    input: { kind: 'simulator', signal: { seed: 1, axion: null, spur: null } },
    listen: { host: '127.0.0.1', port: 8080 },
    publicOrigins: [],
    token: null,
    run: null,
    from: 'earliest',
    geometry: { bins: 3072, sampleRateHz: 2e6, loHz: 10.353e9 },
    processor: 'auto',
    slicesPerFile: 2731,
    tls: null,
    insecureHttp: false,
  });
  expect(options.dataFolder).toBe(join(process.cwd(), 'haloscope-data'));
});

test('flags win over the environment, that over the file, and a command’s part of the file over its common part', () => {
  const file =
    '{ "run": "common", "bins": 4096, "lo": 1e9, "serve": { "run": "section", "from": "latest" } }';
  const environment = { HALOSCOPE_BINS: '2048', HALOSCOPE_RUN: 'environment' };
  expect(serve(['--bins', '1024'], environment, file)).toMatchObject({
    geometry: { bins: 1024, loHz: 1e9 },
    run: 'environment',
    from: 'latest',
    slicesPerFile: 8193,
  });
  expect(serve([], {}, file)).toMatchObject({ run: 'section', geometry: { bins: 4096 } });
  expect(serve([], { HALOSCOPE_BINS: '' }, file).geometry.bins).toBe(4096);
  const { origins } = resolve(SERVE, 'serve', ['--bins', '1024'], environment, file);
  expect(['bins', 'run', 'from', 'group'].map((key) => origins.get(key as keyof typeof SERVE))).toEqual([
    'flag',
    'environment',
    'file',
    'default',
  ]);
});

test('every option of every command can be given as a flag, in the environment and in the file', () => {
  for (const [command, specs] of Object.entries(OPTIONS_OF_COMMAND)) {
    for (const [key, spec] of Object.entries(specs)) {
      const example = exampleOf(spec);
      const words = spec.takes === null ? [`--${spec.name}`] : [`--${spec.name}`, example];
      const byFlag = resolve(specs, command, words).values[key];
      expect(byFlag, `--${spec.name}`).toEqual(spec.parse(example));
      expect(resolve(specs, command, [], { [variableOf(spec.name)]: example }).values[key]).toEqual(byFlag);
      const file = JSON.stringify({ [command]: { [spec.name]: example } });
      expect(resolve(specs, command, [], {}, file).values[key]).toEqual(byFlag);
    }
  }
});

/** Some valid value that is not the default. */
function exampleOf(spec: OptionSpec<unknown>): string {
  const candidates = [
    'true',
    '512',
    '3',
    'kafka1:9092',
    'latest',
    'always',
    'debug',
    'plain',
    'hann',
    'https://daq.example.org',
    '0.5',
    '5s',
    '2GiB',
    '1e3:2',
    '1e3:2@7',
    '2026-11-23T01:02:03Z',
    '100-199',
    'max',
    '10.5',
    'some',
  ];
  const isValid = (text: string): boolean => {
    try {
      return text !== spec.fallback && spec.parse(text) !== undefined;
    } catch (error) {
      if (error instanceof UsageError) return false;
      throw error;
    }
  };
  const found = candidates.find(isValid);
  if (found === undefined) throw new Error(`no example for --${spec.name}`);
  return spec.takes === null ? 'true' : found;
}

test('defaults are values that would be accepted', () => {
  const all = [...Object.values(OPTIONS_OF_COMMAND), COMMON].flatMap((specs) => Object.values(specs));
  const withDefault = all.filter(({ fallback }) => fallback !== null);
  expect(withDefault.length).toBeGreaterThan(40);
  expect(withDefault.map(({ parse, fallback }) => parse(fallback ?? ''))).not.toContain(undefined);
});

test.for([
  [['--listen', '8080'], "--listen: expected an address such as 127.0.0.1:8080 or [::1]:8080, found '8080'"],
  [['--listen', '127.0.0.1:65536'], "found '127.0.0.1:65536'"],
  [['--bins', '1000'], "--bins: expected a slice length 2^a · 3^b from 256 to 8192, found '1000'"],
  [['--bins', '3072.5'], "found '3072.5'"],
  [['--sample-rate', '0'], '--sample-rate: expected a sampling rate in hertz'],
  [['--lo', 'NaN'], "--lo: expected a frequency in hertz, found 'NaN'"],
  [['--from', 'yesterday'], '--from: expected earliest, latest or a time such as'],
  [['--from', '2026-02-30T00:00:00'], '--from: expected'],
  [['--run', 'a~2'], '--run: expected a run name'],
  [['--run', ''], '--run: expected a run name'],
  [['--processor', 'maybe'], "--processor: expected auto, none, always, found 'maybe'"],
  [['--brokers', 'kafka:0'], '--brokers: expected brokers such as'],
  [['--brokers', 'http://kafka:9092'], '--brokers: expected brokers such as'],
  [['--public-url', 'daq.example.org'], '--public-url: expected a URL such as'],
  [['--topic-in', 'a/b'], '--topic-in: expected a topic name'],
  [['--settle', 'soon'], "--settle: expected a duration such as 250ms, 10s, 5m, 6h or 7d, found 'soon'"],
  [['--axion', '250e3'], '--axion: expected OFFSET:RATIO, such as 250e3:0.5'],
  [['--spur', '250e3:1'], '--spur: expected OFFSET:RATIO@FILE'],
  [['--token-file', '/not/there'], '--token-file: /not/there cannot be read (ENOENT)'],
  [['--brokers', 'a:1', '--folder', '/tmp'], '--brokers and --folder: expected one of them'],
  [['--folder', '/tmp', '--axion', '1e3:1'], '--axion is for the simulated DAQ, which real data replace'],
  [['--brokers', 'a:1', '--sasl-username', 'daq'], '--sasl-mechanism, --sasl-username and a password'],
  [['--brokers', 'a:1', '--ssl-cert', '/tmp/c.pem'], '--ssl-cert and --ssl-key: expected both or none'],
] as const)('serve %j is refused in one line', ([words, message]) => {
  let found: unknown;
  try {
    serve(words);
  } catch (error) {
    found = error;
  }
  expect(found).toBeInstanceOf(UsageError);
  expect((found as UsageError).message).toContain(message);
  expect((found as UsageError).message).not.toContain('\n');
});

test('where a wrong value stands is said', () => {
  expect(() => serve([], { HALOSCOPE_BINS: '7' })).toThrow(/^HALOSCOPE_BINS: expected/);
  expect(() => serve([], {}, '{"bins": 7}')).toThrow(/^haloscope\.config\.json, "bins": expected/);
});

test('unknown keys are errors that name the nearest known one', () => {
  const message = (json: string): string => {
    try {
      parseConfigFile('haloscope.config.json', json);
    } catch (error) {
      if (error instanceof UsageError) return error.message;
      throw error;
    }
    return 'accepted';
  };
  expect(message('{"slice-per-file": 3}')).toBe(
    'haloscope.config.json: unknown key "slice-per-file"; did you mean "slices-per-file"?',
  );
  expect(message('{"publicUrl": "x"}')).toContain('did you mean "public-url"?');
  expect(message('{"serv": {}}')).toContain('did you mean "serve"?');
  expect(message('{"produce": {"listen": "x"}}')).toContain('"produce": unknown key "listen"');
  expect(message('{"token": "secret"}')).toContain('unknown key "token"');
  expect(message('{"bins": null}')).toContain('"bins": expected text, a number');
  expect(message('[]')).toBe('haloscope.config.json: expected an object');
  expect(message('{bins: 1}')).toMatch(/^haloscope\.config\.json: no JSON \(/);
  expect(message('{"brokers": ["a:1", "b:2"], "follow": true, "bins": 1024}')).toBe('accepted');
  expect(
    unknownVariables({ HALOSCOPE_LISTN: 'x', HALOSCOPE_TOKEN: 'x', OTHER: 'x', HALOSCOPE_BINS: '1' }),
  ).toEqual(['unknown variable HALOSCOPE_LISTN in the environment; did you mean HALOSCOPE_LISTEN?']);
});

test('lists may be given at once or one by one, and in the file as such', () => {
  const brokers = ['a:1', 'b:9092', '[::1]:3'];
  const connection = { input: { kind: 'kafka', connection: { brokers } } };
  expect(serve(['--brokers', 'a:1,b', '--brokers', '[::1]:3'])).toMatchObject(connection);
  expect(serve([], {}, '{"brokers": ["a:1", "b:9092", "[::1]:3"]}')).toMatchObject(connection);
});

test('--no-create is an option like any other', () => {
  const input = (words: readonly string[], environment = {}, file: string | null = null) =>
    serve(['--brokers', 'a:1', ...words], environment, file).input;
  expect(input([])).toMatchObject({ create: true });
  expect(input(['--no-create'])).toMatchObject({ create: false });
  expect(input([], { HALOSCOPE_NO_CREATE: '1' })).toMatchObject({ create: false });
  expect(input([], {}, '{"no-create": true}')).toMatchObject({ create: false });
  expect(input(['--no-create'], { HALOSCOPE_NO_CREATE: '0' })).toMatchObject({ create: false });
});

test('the token comes from a file or the environment, and is never shown', () => {
  const path = scratchFile('token', 'from-the-file\n');
  expect(serve(['--token-file', path]).token?.reveal()).toBe('from-the-file');
  expect(serve([], { HALOSCOPE_TOKEN: 'from-the-environment' }).token?.reveal()).toBe('from-the-environment');
  const environment = { HALOSCOPE_TOKEN: 'from-the-environment' };
  expect(serve(['--token-file', path], environment).token?.reveal()).toBe('from-the-file');
  const file = JSON.stringify({ 'token-file': path });
  expect(serve([], {}, file).token?.reveal()).toBe('from-the-file');
  expect(serve([], environment, file).token?.reveal()).toBe('from-the-environment');
  expect(() => serve(['--token-file', scratchFile('empty', ' \n')])).toThrow(/is empty$/);
  const secret = new Secret('hush');
  const shown = [String(secret), JSON.stringify({ secret }), inspect({ secret }, { depth: 9 })];
  for (const text of shown) {
    expect(text).toContain('[secret]');
    expect(text).not.toContain('hush');
  }
});

test('security of the brokers', () => {
  const words = ['--brokers', 'a:1', '--sasl-mechanism', 'scram-sha-512', '--sasl-username', 'daq'];
  const connectionOf = (more: readonly string[], environment = {}): unknown => {
    const { input } = serve([...words, ...more], environment);
    return input.kind === 'kafka' ? input.connection : null;
  };
  const ca = scratchFile('ca.pem', 'CA');
  expect(connectionOf(['--ssl-ca', ca], { HALOSCOPE_SASL_PASSWORD: 'hush' })).toEqual({
    brokers: ['a:1'],
    ssl: { ca: 'CA', cert: null, key: null },
    sasl: { mechanism: 'scram-sha-512', username: 'daq', password: new Secret('hush') },
  });
  const byFile = connectionOf(['--sasl-password-file', scratchFile('password', 'other\n')]);
  expect((byFile as { sasl: { password: Secret } }).sasl.password.reveal()).toBe('other');
  expect(JSON.stringify(byFile)).not.toContain('other');
  expect(() => connectionOf([])).toThrow(/expected all three$/);
  const plain = serve(['--brokers', 'a:1']).input;
  expect(plain).toMatchObject({ connection: { ssl: null, sasl: null } });
  expect(serve(['--brokers', 'a:1', '--ssl']).input).toMatchObject({ connection: { ssl: { ca: null } } });
});

test('produce', () => {
  const produce = (folder: string, ...words: string[]) =>
    produceOptions(folder, resolve(PRODUCE, 'produce', words), {});
  expect(produce('/data/run404')).toMatchObject({
    folder: '/data/run404',
    connection: { brokers: ['127.0.0.1:9092'] },
    topic: 'chunk_data',
    slicesPerMessage: 40,
    pace: 'real',
    follow: false,
    files: null,
    run: 'run404',
    utcMs: null,
    settleMs: 10_000,
  });
  expect(produce('/data/run404', '--bins', '8192').slicesPerMessage).toBe(15);
  expect(
    produce('/data/x', '--pace', '1.5', '--files', '7-9', '--run', 'a', '--utc', '2026-11-23T01:02:03.5Z'),
  ).toMatchObject({
    pace: { periodMs: 1500 },
    files: { first: 7, last: 9 },
    run: 'a',
    utcMs: Date.UTC(2026, 10, 23, 1, 2, 3, 500),
  });
  expect(produce('/d/x', '--files', '12').files).toEqual({ first: 12, last: 12 });
  expect(() => produce('/d/x', '--slices-per-message', '41')).toThrow(
    /expected at most 40, so that a message stays/,
  );
  expect(() => produce('/d/x', '--files', '9-7')).toThrow(/--files: expected file numbers/);
  expect(() => produce('/d/x', '--pace', '0')).toThrow(/--pace: expected real, max, or seconds/);
  expect(() => produce('/data/run 404')).toThrow(/--run: expected, because the folder's name 'run 404'/);
  expect(() => produce('')).toThrow(/expected some text/);
});

test('simulate, topics, process', () => {
  const simulate = (...words: string[]) => simulateOptions('/data/x', resolve(SIMULATE, 'simulate', words));
  expect(simulate('--files', '3', '--first', '70000', '--seed', '9', '--spur', '-2e5:3@70001')).toMatchObject(
    {
      files: 3,
      first: 70_000,
      samplesPerFile: 8_389_632,
      force: false,
      signal: { seed: 9, spur: { offsetHz: -2e5, ratio: 3, fromFile: 70_001 } },
    },
  );
  expect(simulate('--cavity', '-100e3').signal.resonances[1]?.offsetHz).toBe(-100e3);
  expect(() => simulate('--first', '99999', '--files', '2')).toThrow(/file numbers up to 99999/);
  const topics = topicsOptions('create', resolve(TOPICS, 'topics', ['--retention', '1.5GiB']).values, {});
  expect(topics).toMatchObject({
    partitions: 4,
    replication: 1,
    retentionBytes: 1.5 * 2 ** 30,
    resultsRetentionMs: null,
    yes: false,
  });
  expect(
    topicsOptions('create', resolve(TOPICS, 'topics', ['--results-retention', '7d']).values, {}),
  ).toMatchObject({
    resultsRetentionMs: 7 * 86_400_000,
  });
  const computing = (url: string) =>
    processOptions(url, resolve(PROCESS, 'process'), { HALOSCOPE_TOKEN: 't' });
  expect(computing('http://127.0.0.1:8080/').url.href).toBe('http://127.0.0.1:8080/');
  for (const url of ['127.0.0.1:8080', 'ftp://x/', 'nonsense'])
    expect(() => computing(url)).toThrow(UsageError);
  expect(() => computing('http://x/#token=hush')).toThrow(/--token-file or HALOSCOPE_TOKEN$/);
  expect(() => computing('http://x/#token=hush')).not.toThrow(/hush/);
});

test('the configuration file is found by --config, by the environment, or not at all', () => {
  const path = scratchFile('mine.json', '{"bins": 512, "log-level": "debug"}');
  const read = (words: readonly string[], environment: NodeJS.ProcessEnv) => {
    const command = addOptions(new Command('serve').exitOverride(), SERVE);
    command.parse([...words], { from: 'user' });
    return readInvocation(command, 'serve', SERVE, environment);
  };
  expect(read(['--config', path], {})).toMatchObject({
    resolved: { values: { bins: 512 } },
    common: { logLevel: 'debug' },
  });
  expect(read([], { HALOSCOPE_CONFIG: path }).resolved.values.bins).toBe(512);
  expect(read([], {}).resolved.values.bins).toBe(3072);
  expect(() => read(['--config', '/not/there.json'], {})).toThrow('/not/there.json: cannot be read (ENOENT)');
});

test('nearest', () => {
  expect(editDistance('', 'abc')).toBe(3);
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('lsiten', 'listen')).toBe(1);
  expect(nearest('lsiten', ['list', 'listen', 'bins'])).toBe('listen');
  expect(nearest('x', [])).toBeNull();
});

test('a certificate to serve with takes both files, and is the opposite of --insecure-http', () => {
  const both = ['--tls-cert', 'bridge.crt', '--tls-key', 'bridge.key'];
  expect(serve(both).tls).toEqual({
    certFile: join(process.cwd(), 'bridge.crt'),
    keyFile: join(process.cwd(), 'bridge.key'),
  });
  expect(() => serve(both.slice(0, 2))).toThrow('--tls-cert and --tls-key: expected both or none');
  expect(() => serve(both.slice(2))).toThrow('--tls-cert and --tls-key: expected both or none');
  expect(() => serve([...both, '--insecure-http'])).toThrow('they are opposites');
});

test('what process trusts is read and looked at at once', () => {
  const process = (...words: string[]) =>
    processOptions('https://daq:8080/', resolve(PROCESS, 'process', words), {});
  expect(process('--tls-name', 'daq.example.org')).toMatchObject({ ca: null, tlsName: 'daq.example.org' });
  expect(() => process('--ca', join(scratch, 'none'))).toThrow('--ca: ');
  expect(() => process('--ca', scratchFile('no.crt', 'hello'))).toThrow('holds no certificate in PEM');
});
