/** Configuration: text of flags and environment, and the file. What is accepted can be used; the rest is one clear line. */
import { isAbsolute } from 'node:path';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { OPTIONS_OF_COMMAND, type OptionSpec } from '../../bridge/config/declarations.ts';
import { parseConfigFile, resolveOptions, variableOf } from '../../bridge/config/resolve.ts';
import { UsageError } from '../../bridge/config/values.ts';
import { fuzz } from './fuzz.ts';
import { damagedJson } from './mutations.ts';

const COMMANDS = Object.keys(OPTIONS_OF_COMMAND);
const OPTIONS = COMMANDS.flatMap((command) =>
  Object.values(OPTIONS_OF_COMMAND[command] as Readonly<Record<string, OptionSpec<unknown>>>).map((spec) => ({
    command,
    spec,
  })),
);

/** Text that is near what options take. */
const PLAUSIBLE = [
  '127.0.0.1:8080',
  '[::1]:0',
  '0.0.0.0:99999',
  ':8080',
  'kafka:9092,kafka2',
  'kafka:0',
  'https://daq.example.org',
  'http://user:word@daq:80',
  'file:///etc/passwd',
  'run404',
  'run404~2',
  '..',
  '/tmp',
  'earliest',
  '2026-11-23T01:02:03Z',
  '2026-02-31T00:00:00Z',
  '2026-11-23T24:00:00Z',
  '3072',
  '3073',
  '2e6',
  '1e999',
  '-0',
  '+5',
  '0x10',
  '1_000',
  ' 7 ',
  '10s',
  '.5m',
  '80GiB',
  '0B',
  '1'.repeat(400),
  `${'9'.repeat(400)}d`,
  'real',
  'max',
  '100-199',
  '199-100',
  '250e3:0.5',
  '250e3:2@10',
  'true',
  'TRUE',
  'no',
  'plain',
  'a\nb',
  '\u001b[31m',
  '\u0000',
];
const text = fc.oneof(fc.constantFrom(...PLAUSIBLE), fc.string(), fc.string({ unit: 'binary' }));

/** No NaN, no infinity, anywhere: both would pass every comparison that guards against them later. */
function expectFinite(value: unknown): void {
  if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
  else if (typeof value === 'object' && value !== null)
    for (const each of Object.values(value)) expectFinite(each);
}

function expectOneLine(error: unknown): void {
  if (!(error instanceof UsageError)) throw error;
  expect(error.message).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
}

/** What the value must be, said once more, for those options whose values reach the system or the network. */
const MEANING: Readonly<Record<string, (value: unknown) => boolean>> = {
  listen: (value) => {
    const { host, port } = value as { host: string; port: number };
    return (
      Number.isInteger(port) &&
      port >= 0 &&
      port <= 65_535 &&
      URL.canParse(`http://${host.includes(':') ? `[${host}]` : host}:${port}`)
    );
  },
  brokers: (value) =>
    (value as string[]).every((broker) => URL.canParse(`http://${broker}`) && !/[\s/@?#]/.test(broker)),
  'public-url': (value) =>
    (value as string[]).every((origin) => new URL(origin).origin === origin && /^https?:/.test(origin)),
  run: (value) => /^[A-Za-z0-9._-]{1,64}$/.test(value as string) && !/^\.+$/.test(value as string),
  'topic-in': (value) => /^[A-Za-z0-9._-]{1,240}$/.test(value as string),
  folder: (value) => isAbsolute(value as string) && !(value as string).includes('\u0000'),
  bins: (value) =>
    [256, 8192].every((edge, at) => (at === 0 ? (value as number) >= edge : (value as number) <= edge)),
  'sample-rate': (value) => (value as number) >= 1,
  settle: (value) => (value as number) >= 0,
};

fuzz('values of options', fc.tuple(fc.nat(OPTIONS.length - 1), text, fc.boolean()), ([at, value, isFlag]) => {
  const { command, spec } = OPTIONS[at] as (typeof OPTIONS)[number];
  const flags = new Map<string, string | true>(isFlag ? [[spec.name, value]] : []);
  const environment = isFlag ? {} : { [variableOf(spec.name)]: value };
  let found: unknown;
  try {
    found = resolveOptions({ it: spec }, command, flags, environment, null).values.it;
  } catch (error) {
    expectOneLine(error);
    return;
  }
  expectFinite(found);
  const isRight = MEANING[spec.name];
  if (isRight !== undefined && found !== null) expect(isRight(found)).toBe(true);
});

const known = new Set(OPTIONS.map(({ spec }) => spec.name));
const section = fc.dictionary(
  fc.constantFrom(...known, 'binz', '__proto__', 'constructor'),
  fc.oneof(fc.constantFrom<unknown>('3072', 3072, true, ['a', 'b']), text),
  { maxKeys: 4 },
);
const configFile = fc.oneof(
  section,
  fc
    .tuple(section, fc.constantFrom(...COMMANDS, 'toString', 'valueOf', '__proto__'), section)
    .map(([common, command, own]) => ({ ...common, [command]: own })),
);

fuzz('configuration files', damagedJson(configFile), (json) => {
  let file: ReturnType<typeof parseConfigFile>;
  try {
    file = parseConfigFile('haloscope.config.json', json);
  } catch (error) {
    expectOneLine(error);
    return;
  }
  // Every key of what was accepted is one that a command has: nothing that was meant is silently ignored.
  for (const [key, value] of Object.entries(JSON.parse(json) as Readonly<Record<string, unknown>>)) {
    if (COMMANDS.includes(key)) {
      const own = Object.values(OPTIONS_OF_COMMAND[key] as Readonly<Record<string, OptionSpec<unknown>>>).map(
        ({ name }) => name,
      );
      for (const name of Object.keys(value as object)) expect([key, own.includes(name)]).toEqual([key, true]);
    } else expect([key, known.has(key) || key === 'config' || key === 'log-level']).toEqual([key, true]);
  }
  for (const command of COMMANDS) {
    try {
      resolveOptions(
        OPTIONS_OF_COMMAND[command] as Readonly<Record<string, OptionSpec<unknown>>>,
        command,
        new Map(),
        {},
        file,
      );
    } catch (error) {
      expectOneLine(error);
    }
  }
});
