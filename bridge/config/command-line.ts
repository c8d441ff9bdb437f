/** From a table of options to the command line's options, and back to what was said there. */

import { type Command, Option } from 'commander';
import { COMMON, type OptionSpec } from './declarations.ts';
import {
  type ConfigFile,
  type Flags,
  readConfigFile,
  type Resolved,
  resolveOptions,
  type Specs,
} from './resolve.ts';

/** Lists may be given at once, with commas, or one by one. */
const isList = (takes: string): boolean => takes.endsWith(',…');

function toOption({ name, takes, help, fallback }: OptionSpec<unknown>): Option {
  if (takes === null) return new Option(`--${name}`, help);
  const option = new Option(
    `--${name} <${takes}>`,
    fallback === null ? help : `${help} (default: ${fallback})`,
  );
  if (isList(takes)) {
    option.argParser((value: string, before: string | undefined) => (before ? `${before},${value}` : value));
  }
  return option;
}

export function addOptions(command: Command, specs: Specs): Command {
  for (const spec of Object.values({ ...specs, ...COMMON })) command.addOption(toOption(spec));
  return command;
}

/** Only what stands on the command line. */
export function flagsOf(command: Command): Flags {
  const flags = new Map<string, string | true>();
  for (const option of command.options) {
    const attribute = option.attributeName();
    if (command.getOptionValueSource(attribute) !== 'cli') continue;
    // `--no-create` makes commander set `create` to false.
    const value: unknown = option.negate ? true : command.getOptionValue(attribute);
    flags.set((option.long ?? '').replace(/^--/, ''), typeof value === 'string' ? value : true);
  }
  return flags;
}

export interface Invocation<S> {
  readonly resolved: Resolved<S>;
  readonly common: Resolved<typeof COMMON>['values'];
}

/**
 * @param name of the command as the configuration file groups by it
 * @throws {UsageError}
 */
export function readInvocation<S extends Specs>(
  command: Command,
  name: string,
  specs: S,
  environment: NodeJS.ProcessEnv,
): Invocation<S> {
  const flags = flagsOf(command);
  const where = resolveOptions({ config: COMMON.config }, name, flags, environment, null).values.config;
  const file: ConfigFile | null = readConfigFile(where);
  return {
    resolved: resolveOptions(specs, name, flags, environment, file),
    common: resolveOptions(COMMON, name, flags, environment, file).values,
  };
}
