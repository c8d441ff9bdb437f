/**
 * The values of a command's options from where they are given: flags over environment over configuration file over
 * defaults.
 *
 *   --public-url URL   HALOSCOPE_PUBLIC_URL=URL   { "public-url": "URL", "serve": { "public-url": "URL" } }
 *
 * In the file a key counts for every command that has the option; within the name of a command it counts for that
 * one, and wins. Unknown keys are errors that name the nearest known one.
 */

import { readFileSync } from 'node:fs';
import { COMMON, OPTIONS_OF_COMMAND, type OptionSpec, type Values } from './declarations.ts';
import { nearest } from './nearest.ts';
import { shown, UsageError } from './values.ts';

export type Specs = Readonly<Record<string, OptionSpec<unknown>>>;

/** What the command line said: text by option name; switches as `true`. */
export type Flags = ReadonlyMap<string, string | true>;

export type Origin = 'flag' | 'environment' | 'file' | 'default';

export interface Resolved<S> {
  readonly values: Values<S>;
  /** Where each value comes from, by the key of its spec. */
  readonly origins: ReadonlyMap<keyof S, Origin>;
}

type FileValues = ReadonlyMap<string, string>;

/** The configuration file, for every command and for each. */
export interface ConfigFile {
  readonly name: string;
  readonly common: FileValues;
  readonly ofCommand: ReadonlyMap<string, FileValues>;
}

const DEFAULT_CONFIG_FILE = 'haloscope.config.json';
const ENVIRONMENT_PREFIX = 'HALOSCOPE_';
/** Secrets have no flag, because `ps` would show it. */
export const SECRET_VARIABLES = {
  token: 'HALOSCOPE_TOKEN',
  saslPassword: 'HALOSCOPE_SASL_PASSWORD',
} as const;

export const variableOf = (name: string): string =>
  ENVIRONMENT_PREFIX + name.toUpperCase().replaceAll('-', '_');

const namesOf = (specs: Specs): string[] => Object.values(specs).map(({ name }) => name);
const ALL_NAMES = [...new Set([COMMON, ...Object.values(OPTIONS_OF_COMMAND)].flatMap(namesOf))];

/**
 * @param path null: `haloscope.config.json` in the working directory, where it need not be
 * @throws {UsageError}
 */
export function readConfigFile(path: string | null): ConfigFile | null {
  const name = path ?? DEFAULT_CONFIG_FILE;
  let json: string;
  try {
    json = readFileSync(name, 'utf8');
  } catch (error) {
    if (path === null && (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new UsageError(`${name}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  return parseConfigFile(name, json);
}

/** @throws {UsageError} */
export function parseConfigFile(name: string, json: string): ConfigFile {
  let content: unknown;
  try {
    content = JSON.parse(json);
  } catch (error) {
    throw new UsageError(`${name}: no JSON (${shown((error as Error).message)})`);
  }
  const common = new Map<string, string>();
  const ofCommand = new Map<string, FileValues>();
  for (const [key, value] of Object.entries(asObject(name, content))) {
    // Not by the name alone: every object has a `toString`.
    const specs = Object.hasOwn(OPTIONS_OF_COMMAND, key) ? OPTIONS_OF_COMMAND[key] : undefined;
    if (specs === undefined)
      common.set(key, fileText(name, key, value, [...ALL_NAMES, ...Object.keys(OPTIONS_OF_COMMAND)]));
    else
      ofCommand.set(
        key,
        readSection(`${name}, "${key}"`, asObject(`${name}, "${key}"`, value), namesOf(specs)),
      );
  }
  return { name, common, ofCommand };
}

function readSection(where: string, section: Record<string, unknown>, known: readonly string[]): FileValues {
  return new Map(Object.entries(section).map(([key, value]) => [key, fileText(where, key, value, known)]));
}

function asObject(where: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new UsageError(`${where}: expected an object`);
}

/** A value of the file as the text that the command line would have had. */
function fileText(where: string, key: string, value: unknown, known: readonly string[]): string {
  if (!known.includes(key)) {
    throw new UsageError(`${where}: unknown key "${shown(key)}"; did you mean "${nearest(key, known)}"?`);
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value.join(',');
  throw new UsageError(`${where}: "${key}": expected text, a number, true, false or a list of texts`);
}

/** Variables that look like ours and are not: each with the nearest that is. */
export function unknownVariables(environment: NodeJS.ProcessEnv): string[] {
  const known = [...ALL_NAMES.map(variableOf), ...Object.values(SECRET_VARIABLES)];
  return Object.keys(environment)
    .filter((name) => name.startsWith(ENVIRONMENT_PREFIX) && !known.includes(name))
    .map((name) => `unknown variable ${name} in the environment; did you mean ${nearest(name, known)}?`);
}

/** @throws {UsageError} that says where the wrong value stands */
export function resolveOptions<S extends Specs>(
  specs: S,
  command: string,
  flags: Flags,
  environment: NodeJS.ProcessEnv,
  file: ConfigFile | null,
): Resolved<S> {
  const values: Record<string, unknown> = {};
  const origins = new Map<keyof S, Origin>();
  for (const [key, spec] of Object.entries(specs)) {
    const given = find(spec, command, flags, environment, file);
    origins.set(key, given.origin);
    values[key] = given.text === null ? null : parseAt(given.where, spec, given.text);
  }
  return { values: values as Values<S>, origins };
}

interface Given {
  readonly origin: Origin;
  readonly where: string;
  readonly text: string | null;
}

function find(
  { name, fallback }: OptionSpec<unknown>,
  command: string,
  flags: Flags,
  environment: NodeJS.ProcessEnv,
  file: ConfigFile | null,
): Given {
  const flag = flags.get(name);
  if (flag !== undefined) return { origin: 'flag', where: `--${name}`, text: flag === true ? 'true' : flag };
  const variable = variableOf(name);
  const set = environment[variable];
  if (set !== undefined && set !== '') return { origin: 'environment', where: variable, text: set };
  const text = file?.ofCommand.get(command)?.get(name) ?? file?.common.get(name);
  if (file !== null && text !== undefined) return { origin: 'file', where: `${file.name}, "${name}"`, text };
  return { origin: 'default', where: `--${name}`, text: fallback };
}

function parseAt(where: string, spec: OptionSpec<unknown>, text: string): unknown {
  try {
    return spec.parse(text);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${where}: ${error.message}`);
    throw error;
  }
}
