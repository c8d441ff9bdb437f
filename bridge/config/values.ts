/**
 * Values as people write them, from the command line, the environment and the configuration file: text in, checked
 * value out. Each parser says in one line what it expected and what it found.
 */

import { resolve } from 'node:path';
import type { StartFrom } from '../log/port.ts';
import { oneLine } from '../one-line.ts';
import { isSupportedLength } from '../protocol/geometry.ts';
import { isGivenRunName } from '../protocol/run-name.ts';
import { MAX_FILE_NUMBER } from '../records.ts';
import { parseUtcTime } from '../utc.ts';
import type { ListenAddress, Pace } from './options.ts';

/** Wrong usage or configuration: exit status 2. The message is one line for a person. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export type Parser<T> = (text: string) => T;

const MOST_SHOWN_LETTERS = 200;

/** What somebody wrote, as far as it is worth showing. */
export const shown = (text: string): string => oneLine(text.slice(0, MOST_SHOWN_LETTERS));

const expected = (what: string, text: string): UsageError =>
  new UsageError(`expected ${what}, found '${shown(text)}'`);

export const text: Parser<string> = (value) => {
  if (value.trim() === '') throw expected('some text', value);
  return value;
};

/** Decimal, with an exponent if wanted: `2e6`. */
export const number =
  (least: number, most: number, what: string): Parser<number> =>
  (value) => {
    const parsed = Number(value);
    if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value.trim()) || !(parsed >= least && parsed <= most)) {
      throw expected(what, value);
    }
    return parsed;
  };

export const integer = (least: number, most: number, what = 'a whole number'): Parser<number> => {
  const full = `${what} from ${least} to ${most}`;
  const parse = number(least, most, full);
  return (value) => {
    const parsed = parse(value);
    if (!Number.isInteger(parsed)) throw expected(full, value);
    return parsed;
  };
};

export const oneOf =
  <T extends string>(...choices: readonly T[]): Parser<T> =>
  (value) => {
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw expected(choices.join(', '), value);
    return found;
  };

export const yesOrNo: Parser<boolean> = (value) => {
  if (['1', 'true', 'yes', 'on'].includes(value.toLowerCase())) return true;
  if (['0', 'false', 'no', 'off', ''].includes(value.toLowerCase())) return false;
  throw expected('true or false', value);
};

const DURATION_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds from `250ms`, `10s`, `5m`, `6h`, `7d`; a bare number is seconds. */
export const duration: Parser<number> = (value) => {
  const match = /^(\d+\.?\d*|\.\d+)\s*(ms|s|m|h|d)?$/.exec(value.trim());
  const ms = Number(match?.[1]) * (DURATION_MS[match?.[2] ?? 's'] as number);
  if (!Number.isFinite(ms)) throw expected('a duration such as 250ms, 10s, 5m, 6h or 7d', value);
  return ms;
};

const SIZE_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Bytes from `80GiB`, `500MB`, or a bare number. */
export const size: Parser<number> = (value) => {
  const match = /^(\d+\.?\d*)\s*([A-Za-z]+)?$/.exec(value.trim());
  const name = match?.[2] ?? 'B';
  const unit = Object.hasOwn(SIZE_BYTES, name) ? SIZE_BYTES[name] : undefined;
  if (match === null || unit === undefined) throw expected('a size such as 80GiB, 500MB or 1048576', value);
  const bytes = Math.round(Number(match[1]) * unit);
  if (!(bytes >= 1 && Number.isSafeInteger(bytes)))
    throw expected('a size from one byte to some petabytes', value);
  return bytes;
};

const isPort = (port: string, least: number): boolean =>
  /^\d{1,5}$/.test(port) && Number(port) >= least && Number(port) <= 65_535;

const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)$/i;

/** Also what only looks like an address is none: 300.1.2.3, [1::2::3]. */
const isHost = (host: string): boolean => HOST.test(host) && URL.canParse(`http://${host}`);

/** `host:port`; IPv6 in brackets; port 0 lets the system choose. */
export const listenAddress: Parser<ListenAddress> = (value) => {
  const match = /^(.+):(\d+)$/.exec(value);
  const host = match?.[1] ?? '';
  const port = match?.[2] ?? '';
  if (!isHost(host) || !isPort(port, 0)) {
    throw expected('an address such as 127.0.0.1:8080 or [::1]:8080', value);
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
};

/** `host:port,host:port`; 9092 where no port is said. */
export const brokerList: Parser<readonly string[]> = (value) =>
  value.split(',').map((part) => {
    const broker = part.trim();
    const withPort = /:\d+$/.test(broker) ? broker : `${broker}:9092`;
    const [, host = '', port = ''] = /^(.+):(\d+)$/.exec(withPort) ?? [];
    if (!isHost(host) || !isPort(port, 1)) {
      throw expected('brokers such as kafka1:9092,kafka2:9092', value);
    }
    return withPort;
  });

export const runName: Parser<string> = (value) => {
  if (!isGivenRunName(value)) throw expected('a run name, 1 to 64 of A-Z a-z 0-9 . _ -', value);
  return value;
};

export const topicName: Parser<string> = (value) => {
  if (!/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,240}$/.test(value)) {
    throw expected('a topic name, 1 to 240 of A-Z a-z 0-9 . _ -', value);
  }
  return value;
};

/** Absolute path. */
export const path: Parser<string> = (value) => {
  if (value.includes('\0')) throw expected('a path, which no system lets hold a zero byte', value);
  return resolve(text(value));
};

const urlOf = (value: string): URL | null => (URL.canParse(value) ? new URL(value) : null);

/** Origins of http and https URLs, with commas between them. */
export const origins: Parser<readonly string[]> = (value) =>
  value.split(',').map((part) => {
    const url = urlOf(part.trim());
    if (url === null || !/^https?:$/.test(url.protocol)) {
      throw expected('a URL such as https://daq.example.org', part.trim());
    }
    return url.origin;
  });

/** Address of a server, http or https. */
export const httpUrl: Parser<string> = (value) => {
  const url = urlOf(value);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw expected('a URL such as http://s3.example.org:9000', value);
  return value;
};

/** Address of a bridge. A token does not belong there: it would be seen in the list of processes. */
export const bridgeUrl: Parser<URL> = (value) => {
  const url = urlOf(value);
  if (url === null || !/^(https?|wss?):$/.test(url.protocol)) {
    throw new UsageError('expected the URL of a bridge, such as http://127.0.0.1:8080/');
  }
  if (url.hash !== '' || url.username !== '' || url.password !== '') {
    throw new UsageError('expected a URL without secrets: give the token by --token-file or HALOSCOPE_TOKEN');
  }
  return url;
};

/** With its zone, RFC 3339: `2026-11-23T01:02:03.456Z`. */
export const utcTime: Parser<number> = (value) => {
  const ms = parseUtcTime(value);
  if (ms === null) throw expected('a time with its zone, such as 2026-11-23T01:02:03.456Z', value);
  return ms;
};

export const startFrom: Parser<StartFrom> = (value) => {
  if (value === 'earliest' || value === 'latest') return value;
  try {
    return { timeMs: utcTime(value) };
  } catch {
    throw expected('earliest, latest or a time such as 2026-11-23T01:02:03Z', value);
  }
};

/** `real`, `max`, or seconds per file pair. */
export const pace: Parser<Pace> = (value) => {
  if (value === 'real' || value === 'max') return value;
  const seconds = number(0.001, 86_400, 'real, max, or seconds per file pair')(value);
  return { periodMs: seconds * 1000 };
};

/** `A-B`, both included, or one number. */
export const fileRange: Parser<{ readonly first: number; readonly last: number }> = (value) => {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(value.trim());
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || last < first) {
    throw expected(`file numbers such as 100-199, at most ${MAX_FILE_NUMBER}`, value);
  }
  return { first, last };
};

export const sliceLength: Parser<number> = (value) => {
  const bins = integer(256, 8192, 'a slice length 2^a · 3^b')(value);
  if (!isSupportedLength(bins)) throw expected('a slice length 2^a · 3^b from 256 to 8192', value);
  return bins;
};

/** `OFFSET:RATIO`: Hz from the LO, power in units of the floor's power in one bin. */
export const line: Parser<{ readonly offsetHz: number; readonly ratio: number }> = (value) => {
  const [offset = '', ratio = '', ...more] = value.split(':');
  const what = 'OFFSET:RATIO, such as 250e3:0.5';
  if (more.length > 0) throw expected(what, value);
  return { offsetHz: number(-1e9, 1e9, what)(offset), ratio: number(0, 1e9, what)(ratio) };
};

/** `OFFSET:RATIO@FILE`: a line that is on from that file. */
export const spur: Parser<{
  readonly offsetHz: number;
  readonly ratio: number;
  readonly fromFile: number;
}> = (value) => {
  const [signal = '', file = '', ...more] = value.split('@');
  if (more.length > 0 || file === '') throw expected('OFFSET:RATIO@FILE, such as 250e3:2@10', value);
  return { ...line(signal), fromFile: integer(0, MAX_FILE_NUMBER, 'a file number')(file) };
};
