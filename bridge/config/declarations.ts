/**
 * Every option of every command: name, what it takes, what it means, and what it is unless told otherwise.
 *
 * One name serves the command line (`--public-url`), the environment (`HALOSCOPE_PUBLIC_URL`) and the configuration
 * file (`"public-url"`). Defaults are written as a person would write them and go through the same checks.
 */

import {
  DEFAULT_BINS,
  DEFAULT_LO_HZ,
  DEFAULT_SAMPLE_RATE_HZ,
  NOMINAL_SAMPLES_PER_FILE,
} from '../protocol/geometry.ts';
import { WINDOW_NAMES } from '../protocol/window.ts';
import { MAX_FILE_NUMBER, MAX_SLICES_PER_FILE } from '../records.ts';
import * as v from './values.ts';

export interface OptionSpec<T> {
  readonly name: string;
  /** What stands for the value in the help; null: a switch. */
  readonly takes: string | null;
  readonly help: string;
  readonly parse: v.Parser<T>;
  /** null: not set, which then is the value. */
  readonly fallback: string | null;
}

/** The values that a table of options comes to. */
export type Values<S> = {
  readonly [K in keyof S]: S[K] extends OptionSpec<infer T> ? T : never;
};

const option = <T>(
  name: string,
  takes: string,
  help: string,
  parse: v.Parser<T>,
  fallback: string,
): OptionSpec<T> => ({ name, takes, help, parse, fallback });

const optional = <T>(
  name: string,
  takes: string,
  help: string,
  parse: v.Parser<T>,
): OptionSpec<T | null> => ({
  name,
  takes,
  help,
  parse,
  fallback: null,
});

const toggle = (name: string, help: string): OptionSpec<boolean> => ({
  name,
  takes: null,
  help,
  parse: v.yesOrNo,
  fallback: 'false',
});

const fileNumber = v.integer(0, MAX_FILE_NUMBER, 'a file number');

export const COMMON = {
  config: optional(
    'config',
    'FILE',
    'configuration file; without it haloscope.config.json, if it is there',
    v.path,
  ),
  logLevel: option(
    'log-level',
    'LEVEL',
    'least level that is logged: trace, debug, info, warn, error, silent',
    v.oneOf('trace', 'debug', 'info', 'warn', 'error', 'silent'),
    'info',
  ),
};

const GEOMETRY = {
  bins: option('bins', 'N', 'samples per slice: 2^a · 3^b, 256 to 8192', v.sliceLength, String(DEFAULT_BINS)),
  sampleRate: option(
    'sample-rate',
    'HZ',
    'samples per second and channel',
    v.number(1, 1e12, 'a sampling rate in hertz'),
    String(DEFAULT_SAMPLE_RATE_HZ),
  ),
  lo: option(
    'lo',
    'HZ',
    'frequency of the local oscillator',
    v.number(0, 1e15, 'a frequency in hertz'),
    String(DEFAULT_LO_HZ),
  ),
};

const SECURITY = {
  ssl: toggle('ssl', 'speak TLS with the brokers'),
  sslCa: optional('ssl-ca', 'FILE', 'certificate authority of the brokers, PEM', v.path),
  sslCert: optional('ssl-cert', 'FILE', 'certificate to show to the brokers, PEM', v.path),
  sslKey: optional('ssl-key', 'FILE', 'key of that certificate, PEM', v.path),
  saslMechanism: optional(
    'sasl-mechanism',
    'NAME',
    'plain, scram-sha-256 or scram-sha-512',
    v.oneOf('plain', 'scram-sha-256', 'scram-sha-512'),
  ),
  saslUsername: optional('sasl-username', 'NAME', 'user for the brokers', v.text),
  saslPasswordFile: optional(
    'sasl-password-file',
    'FILE',
    'file with the password (or HALOSCOPE_SASL_PASSWORD)',
    v.path,
  ),
};

const BROKERS = {
  brokers: option('brokers', 'HOST:PORT,…', 'Kafka brokers', v.brokerList, '127.0.0.1:9092'),
  ...SECURITY,
};

const TOKEN = {
  tokenFile: optional('token-file', 'FILE', 'file with the token (or HALOSCOPE_TOKEN)', v.path),
};

/** The simulated DAQ's signal. */
export const SIGNAL = {
  seed: option('seed', 'N', 'simulated DAQ: seed of its noise', v.integer(0, 2 ** 32 - 1), '1'),
  drift: option(
    'drift',
    'FRACTION',
    'simulated DAQ: amplitude of the slow change of the power',
    v.number(0, 0.9, 'a fraction from 0 to 0.9'),
    '0.02',
  ),
  cavity: option(
    'cavity',
    'HZ',
    'simulated DAQ: cavity dip, from the LO',
    v.number(-1e9, 1e9, 'an offset from the LO in hertz'),
    '465e3',
  ),
  axion: optional(
    'axion',
    'HZ:RATIO',
    'simulated DAQ: axion-shaped line, its power in units of the floor in one bin',
    v.line,
  ),
  spur: optional('spur', 'HZ:RATIO@FILE', 'simulated DAQ: a line that switches on at a file', v.spur),
  burst: optional('burst', 'FILE', 'simulated DAQ: file with a burst of noise', fileNumber),
  clip: optional('clip', 'FILE', 'simulated DAQ: file with a clipped stretch', fileNumber),
  dcStep: optional('dc-step', 'FILE', 'simulated DAQ: file in which the DC level jumps', fileNumber),
};

const SETTLE = {
  settle: option(
    'settle',
    'TIME',
    'a short file that has not changed for so long is finished',
    v.duration,
    '10s',
  ),
};

const ENDPOINT = {
  endpoint: optional('endpoint', 'URL', 'server of s3://… that is not that of Amazon', v.httpUrl),
};

const TOPICS_IN_AND_OUT = {
  topicIn: option('topic-in', 'NAME', 'topic of the slices', v.topicName, 'chunk_data'),
  topicOut: option('topic-out', 'NAME', 'topic of the results', v.topicName, 'results'),
};

export const SERVE = {
  listen: option(
    'listen',
    'HOST:PORT',
    'address of page, WebSocket and metrics',
    v.listenAddress,
    '127.0.0.1:8080',
  ),
  brokers: optional('brokers', 'HOST:PORT,…', 'read from Kafka: its brokers', v.brokerList),
  folder: optional('folder', 'DIR', 'read file pairs from a folder, and follow new ones', v.path),
  publicUrl: optional('public-url', 'URL,…', 'URLs by which clients reach the bridge', v.origins),
  ...TOKEN,
  run: optional('run', 'NAME', 'run of data that do not say theirs', v.runName),
  from: option(
    'from',
    'WHERE',
    'where to begin for the first time: earliest, latest or a time',
    v.startFrom,
    'earliest',
  ),
  group: option('group', 'NAME', 'consumer group', v.topicName, 'haloscope'),
  ...TOPICS_IN_AND_OUT,
  data: option(
    'data',
    'DIR',
    'folder for the embedded store, the token and the certificates',
    v.path,
    'haloscope-data',
  ),
  ...GEOMETRY,
  processor: option(
    'processor',
    'WHEN',
    'headless processor: auto (when no other is connected), none, always',
    v.oneOf('auto', 'none', 'always'),
    'auto',
  ),
  slicesPerFile: optional(
    'slices-per-file',
    'N',
    `slices in a file of senders without headers; ⌊${NOMINAL_SAMPLES_PER_FILE} / bins⌋ unless given`,
    v.integer(1, MAX_SLICES_PER_FILE),
  ),
  noCreate: toggle('no-create', 'do not create missing topics'),
  scaleOut: toggle(
    'scale-out',
    'share the partitions with the other bridges of the group; senders must write headers, as produce does',
  ),
  tlsCert: optional(
    'tls-cert',
    'FILE',
    'certificate to serve with, PEM; beyond this machine the bridge makes its own unless given',
    v.path,
  ),
  tlsKey: optional('tls-key', 'FILE', 'key of that certificate, PEM', v.path),
  insecureHttp: toggle(
    'insecure-http',
    'plain HTTP beyond this machine: other machines get no GPU and no wake lock, and the network sees data and token',
  ),
  ...SETTLE,
  ...SECURITY,
  ...SIGNAL,
};

export const PRODUCE = {
  ...BROKERS,
  topic: option('topic', 'NAME', 'topic to send to', v.topicName, 'chunk_data'),
  slicesPerMessage: optional(
    'slices-per-message',
    'N',
    'slices in one message; as many as fit 983 040 bytes unless given',
    v.integer(1, 10_000),
  ),
  pace: option('pace', 'PACE', 'real, max, or seconds per file pair', v.pace, 'real'),
  follow: toggle('follow', 'go on with new pairs as they come'),
  files: optional('files', 'A-B', 'only these file numbers', v.fileRange),
  run: optional('run', 'NAME', 'name of the run; that of the folder unless given', v.runName),
  utc: optional('utc', 'TIME', 'start of the first file; from modification times unless given', v.utcTime),
  ...ENDPOINT,
  ...SETTLE,
  ...GEOMETRY,
};

export const SIMULATE = {
  files: option('files', 'N', 'how many pairs', v.integer(1, MAX_FILE_NUMBER + 1), '1'),
  first: option('first', 'K', 'number of the first', fileNumber, '0'),
  samples: option(
    'samples',
    'N',
    'samples per channel in a file',
    v.integer(1, 1_000_000_000),
    String(NOMINAL_SAMPLES_PER_FILE),
  ),
  force: toggle('force', 'replace pairs that are there already'),
  ...SIGNAL,
  ...GEOMETRY,
};

export const TOPICS = {
  ...BROKERS,
  ...TOPICS_IN_AND_OUT,
  partitions: option('partitions', 'N', 'partitions of a topic', v.integer(1, 10_000), '4'),
  replication: option('replication', 'N', 'copies of each partition', v.integer(1, 100), '1'),
  retention: option('retention', 'SIZE', 'what one partition of the slices keeps', v.size, '80GiB'),
  resultsRetention: optional(
    'results-retention',
    'TIME',
    'how long results are kept; for ever unless given',
    v.duration,
  ),
};

export const TOPICS_DELETE = {
  ...BROKERS,
  ...TOPICS_IN_AND_OUT,
  yes: toggle('yes', 'really delete the topics and all that is in them'),
};

export const PROCESS = {
  ...TOKEN,
  ca: optional('ca', 'FILE', 'certificates by which to trust the bridge, PEM', v.path),
  tlsName: optional('tls-name', 'HOST', 'name in its certificate, where the URL has another', v.text),
};

export const ANALYZE = {
  csv: toggle('csv', 'spectrum as CSV: freq_Hz,power,std,count; what is written unless told otherwise'),
  ecsv: toggle('ecsv', 'spectrum as ECSV, with units and provenance, as astropy opens it'),
  npz: toggle('npz', "spectrum as NPZ, as NumPy's load opens it"),
  json: toggle('json', 'spectrum as JSON with provenance'),
  out: optional('out', 'DIR', 'folder to write to instead of standard output', v.path),
  sigmf: toggle('sigmf', 'besides, SigMF metadata beside the halves of every pair that was used'),
  perFile: toggle('per-file', 'besides, a spectrum of each recording; needs --out'),
  skipChecksums: toggle('skip-checksums', 'do not compare files with the SHA-512 in their SigMF metadata'),
  run: optional('run', 'NAME', 'name of the run; that of the folder unless given', v.runName),
  window: option('window', 'NAME', WINDOW_NAMES.join(', '), v.oneOf(...WINDOW_NAMES), 'none'),
  ...ENDPOINT,
  ...SETTLE,
  ...GEOMETRY,
};

export const KIOSK = {
  profile: option(
    'profile',
    'DIR',
    "folder for the browser's profile, of its own",
    v.path,
    'haloscope-kiosk',
  ),
  maxMemory: option('max-memory', 'SIZE', 'start the browser again when it holds more', v.size, '4GiB'),
  chromeFlags: optional(
    'chrome-flags',
    'FLAGS',
    'further flags for the browser, separated by spaces',
    v.text,
  ),
  noSandbox: toggle('no-sandbox', 'let Chrome run as root, without its sandbox'),
};

export const DOCTOR = {
  brokers: optional('brokers', 'HOST:PORT,…', 'look at Kafka as well: its brokers', v.brokerList),
  ...SECURITY,
  ...TOPICS_IN_AND_OUT,
  bins: GEOMETRY.bins,
  json: toggle('json', 'the same as JSON'),
  noBrowser: toggle('no-browser', 'do not start a browser'),
  software: toggle('software', 'measure a software adapter as well, whose kernels take seconds to compile'),
};

/** Options by command, as the configuration file may group them. */
export const OPTIONS_OF_COMMAND: Readonly<Record<string, Readonly<Record<string, OptionSpec<unknown>>>>> = {
  serve: SERVE,
  produce: PRODUCE,
  simulate: SIMULATE,
  topics: { ...TOPICS, ...TOPICS_DELETE },
  process: PROCESS,
  analyze: ANALYZE,
  kiosk: KIOSK,
  doctor: DOCTOR,
};
