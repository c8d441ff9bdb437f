/**
 * From the values of a command's options to what its implementation receives: what one value alone does not show,
 * secrets and certificates from their files.
 */

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { isS3Url, parseS3Url } from '../files/s3/s3-url.ts';
import { type Geometry, nominalSlicesPerFile, slicesPerMessageLimit } from '../protocol/geometry.ts';
import { isGivenRunName } from '../protocol/run-name.ts';
import { MAX_FILE_NUMBER } from '../records.ts';
import { defaultSignal, type SignalParameters } from '../simulator/signal.ts';
import {
  type ANALYZE,
  type DOCTOR,
  type KIOSK,
  type PROCESS,
  type PRODUCE,
  type SERVE,
  SIGNAL,
  type SIMULATE,
  type TOPICS,
  type TOPICS_DELETE,
  type Values,
} from './declarations.ts';
import type {
  AnalyzeOptions,
  DoctorOptions,
  ExportFormat,
  KafkaConnection,
  KioskOptions,
  ProcessOptions,
  ProduceOptions,
  ServeInput,
  ServeOptions,
  SimulateOptions,
  TopicsAction,
  TopicsOptions,
} from './options.ts';
import { type Origin, type Resolved, SECRET_VARIABLES } from './resolve.ts';
import { Secret } from './secret.ts';
import { bridgeUrl, path, text, UsageError } from './values.ts';

type Environment = NodeJS.ProcessEnv;
type Security = Pick<
  Values<typeof SERVE>,
  'ssl' | 'sslCa' | 'sslCert' | 'sslKey' | 'saslMechanism' | 'saslUsername' | 'saslPasswordFile'
>;

/** What `--token-file` said, in whatever command. */
interface TokenSource {
  readonly values: { readonly tokenFile: string | null };
  readonly origins: ReadonlyMap<string, Origin>;
}

/** @throws {UsageError} */
export function serveOptions(resolved: Resolved<typeof SERVE>, environment: Environment): ServeOptions {
  const { values } = resolved;
  const geometry = geometryOf(values);
  return {
    input: serveInput(resolved, geometry, environment),
    listen: values.listen,
    publicOrigins: values.publicUrl ?? [],
    token: tokenOf(resolved, environment),
    run: values.run,
    from: values.from,
    dataFolder: values.data,
    geometry,
    processor: values.processor,
    slicesPerFile: values.slicesPerFile ?? nominalSlicesPerFile(geometry.bins),
    tls: tlsOf(values),
    insecureHttp: values.insecureHttp,
  };
}

/** That the files belong together is seen when they are used. */
function tlsOf({ tlsCert, tlsKey, insecureHttp }: Values<typeof SERVE>): ServeOptions['tls'] {
  if (tlsCert === null && tlsKey === null) return null;
  if (tlsCert === null || tlsKey === null)
    throw new UsageError('--tls-cert and --tls-key: expected both or none');
  if (insecureHttp)
    throw new UsageError('--tls-cert and --insecure-http: expected one of them, since they are opposites');
  return { certFile: tlsCert, keyFile: tlsKey };
}

function serveInput(
  resolved: Resolved<typeof SERVE>,
  geometry: Geometry,
  environment: Environment,
): ServeInput {
  const { values, origins } = resolved;
  const { brokers, folder, group, topicIn, topicOut } = values;
  if (brokers !== null && folder !== null) {
    throw new UsageError('--brokers and --folder: expected one of them, since a bridge has one input');
  }
  const signalFlag = (Object.keys(SIGNAL) as (keyof typeof SIGNAL)[]).find(
    (key) => origins.get(key) === 'flag',
  );
  if ((brokers !== null || folder !== null) && signalFlag !== undefined) {
    throw new UsageError(`--${SIGNAL[signalFlag].name} is for the simulated DAQ, which real data replace`);
  }
  if (brokers !== null) {
    const connection = connectionOf({ ...values, brokers }, environment);
    const { noCreate, scaleOut } = values;
    return { kind: 'kafka', connection, topicIn, topicOut, group, create: !noCreate, scaleOut };
  }
  if (values.scaleOut) {
    throw new UsageError('--scale-out: expected --brokers too, since only partitions of Kafka can be shared');
  }
  if (folder !== null) return { kind: 'folder', folder, settleMs: values.settle };
  return { kind: 'simulator', signal: signalOf(values, geometry) };
}

/** @throws {UsageError} */
export function produceOptions(
  folder: string,
  { values }: Resolved<typeof PRODUCE>,
  environment: Environment,
): ProduceOptions {
  const geometry = geometryOf(values);
  const place = placeOf(folder);
  return {
    folder: place,
    endpoint: values.endpoint,
    connection: connectionOf(values, environment),
    topic: values.topic,
    slicesPerMessage: slicesPerMessageOf(values.slicesPerMessage, geometry.bins),
    pace: values.pace,
    follow: values.follow,
    files: values.files,
    run: values.run ?? runOfFolder(place),
    utcMs: values.utc,
    settleMs: values.settle,
    geometry,
  };
}

/** Absolute path of a folder, or the address of a prefix. @throws {UsageError} */
function placeOf(given: string): string {
  if (!isS3Url(given)) return path(given);
  if (parseS3Url(given) === null) throw new UsageError(`expected s3://BUCKET/PREFIX, found '${given}'`);
  return given;
}

function slicesPerMessageOf(given: number | null, bins: number): number {
  const limit = slicesPerMessageLimit(bins);
  if (given !== null && given > limit) {
    throw new UsageError(
      `--slices-per-message: expected at most ${limit}, so that a message stays below Kafka's 1 MB, found '${given}'`,
    );
  }
  return given ?? limit;
}

function runOfFolder(folder: string): string {
  const name = basename(folder);
  if (isGivenRunName(name)) return name;
  throw new UsageError(`--run: expected, because the folder's name '${name}' cannot be that of a run`);
}

/** @throws {UsageError} */
export function simulateOptions(folder: string, { values }: Resolved<typeof SIMULATE>): SimulateOptions {
  const { files, first, samples, force } = values;
  if (first + files - 1 > MAX_FILE_NUMBER) {
    throw new UsageError(
      `--first ${first} --files ${files}: expected file numbers up to ${MAX_FILE_NUMBER}, which five digits hold`,
    );
  }
  const signal = signalOf(values, geometryOf(values));
  return { folder: path(folder), files, first, samplesPerFile: samples, force, signal };
}

/** @throws {UsageError} */
export function topicsOptions(
  action: TopicsAction,
  values: Values<typeof TOPICS> & Partial<Values<typeof TOPICS_DELETE>>,
  environment: Environment,
): TopicsOptions {
  return {
    action,
    connection: connectionOf(values, environment),
    topicIn: values.topicIn,
    topicOut: values.topicOut,
    partitions: values.partitions,
    replication: values.replication,
    retentionBytes: values.retention,
    resultsRetentionMs: values.resultsRetention,
    yes: values.yes ?? false,
  };
}

/** @throws {UsageError} */
export const processOptions = (
  url: string,
  resolved: Resolved<typeof PROCESS>,
  environment: Environment,
): ProcessOptions => ({
  url: bridgeUrl(url),
  token: tokenOf(resolved, environment),
  ca: resolved.values.ca === null ? null : readCertificates('--ca', resolved.values.ca),
  tlsName: resolved.values.tlsName,
});

const EXPORT_FORMATS: readonly ExportFormat[] = ['csv', 'ecsv', 'npz', 'json'];

/** @throws {UsageError} */
export function analyzeOptions(
  paths: readonly string[],
  { values, origins }: Resolved<typeof ANALYZE>,
): AnalyzeOptions {
  const asked = EXPORT_FORMATS.filter((format) => values[format]);
  const formats: readonly ExportFormat[] = asked.length === 0 ? ['csv'] : asked;
  if (values.out === null && formats.length > 1) {
    const flags = formats.map((format) => `--${format}`).join(', ');
    throw new UsageError(
      `${flags}: expected one of them, or --out DIR, since standard output takes only one`,
    );
  }
  if (values.out === null && values.perFile)
    throw new UsageError('--per-file: expected --out DIR with it, for a file per recording');
  for (const given of paths) placeOf(given);
  if (values.sigmf && paths.some(isS3Url))
    throw new UsageError('--sigmf: expected pairs on a disk, since nothing is written to a bucket');
  const isSaid = (key: 'sampleRate' | 'lo'): boolean => origins.get(key) !== 'default';
  return {
    paths: paths.map(text),
    formats,
    outFolder: values.out,
    perFile: values.perFile,
    endpoint: values.endpoint,
    sigmf: values.sigmf,
    verify: !values.skipChecksums,
    run: values.run,
    window: values.window,
    settleMs: values.settle,
    geometry: geometryOf(values),
    said: {
      sampleRateHz: isSaid('sampleRate') ? values.sampleRate : null,
      loHz: isSaid('lo') ? values.lo : null,
    },
  };
}

/** @throws {UsageError} */
export function kioskOptions(url: string, { values }: Resolved<typeof KIOSK>): KioskOptions {
  const { profile, maxMemory, chromeFlags, noSandbox } = values;
  const flags = (chromeFlags ?? '').split(' ').filter((flag) => flag !== '');
  const strange = flags.find((flag) => !flag.startsWith('--'));
  if (strange !== undefined) throw new UsageError(`--chrome-flags: expected flags, found "${strange}"`);
  const page = bridgeUrl(url);
  if (!page.protocol.startsWith('http'))
    throw new UsageError('expected the address of the page, with http or https');
  return { url: page, profile, mostBytes: maxMemory, flags, noSandbox };
}

/** @throws {UsageError} */
export function doctorOptions({ values }: Resolved<typeof DOCTOR>, environment: Environment): DoctorOptions {
  const { brokers, topicIn, topicOut, bins, json, noBrowser, software } = values;
  const connection = brokers === null ? null : connectionOf({ ...values, brokers }, environment);
  return { connection, topicIn, topicOut, bins, json, browser: !noBrowser, software };
}

function geometryOf(values: Values<Pick<typeof SERVE, 'bins' | 'sampleRate' | 'lo'>>): Geometry {
  return { bins: values.bins, sampleRateHz: values.sampleRate, loHz: values.lo };
}

function signalOf(values: Values<typeof SIGNAL>, geometry: Geometry): SignalParameters {
  const base = defaultSignal(values.seed, geometry);
  const [hump, cavity, ...others] = base.resonances;
  if (hump === undefined || cavity === undefined) throw new Error('expected a hump and a cavity dip');
  return {
    ...base,
    resonances: [hump, { ...cavity, offsetHz: values.cavity }, ...others],
    drift: values.drift,
    axion: values.axion,
    spur: values.spur,
    burstFile: values.burst,
    clippedFile: values.clip,
    dcStepFile: values.dcStep,
  };
}

function connectionOf(
  values: Security & { readonly brokers: readonly string[] },
  environment: Environment,
): KafkaConnection {
  return { brokers: values.brokers, ssl: sslOf(values), sasl: saslOf(values, environment) };
}

function sslOf({ ssl, sslCa, sslCert, sslKey }: Security): KafkaConnection['ssl'] {
  if ((sslCert === null) !== (sslKey === null)) {
    throw new UsageError('--ssl-cert and --ssl-key: expected both or none');
  }
  if (!ssl && sslCa === null && sslCert === null) return null;
  return {
    ca: sslCa === null ? null : readText('--ssl-ca', sslCa),
    cert: sslCert === null ? null : readText('--ssl-cert', sslCert),
    key: sslKey === null ? null : new Secret(readText('--ssl-key', sslKey)),
  };
}

function saslOf(values: Security, environment: Environment): KafkaConnection['sasl'] {
  const { saslMechanism: mechanism, saslUsername: username, saslPasswordFile } = values;
  if (mechanism === null && username === null && saslPasswordFile === null) return null;
  const fromEnvironment = environment[SECRET_VARIABLES.saslPassword] ?? '';
  const password =
    saslPasswordFile === null ? fromEnvironment : readText('--sasl-password-file', saslPasswordFile).trim();
  if (mechanism === null || username === null || password === '') {
    throw new UsageError(
      `--sasl-mechanism, --sasl-username and a password (--sasl-password-file or ${SECRET_VARIABLES.saslPassword}): expected all three`,
    );
  }
  return { mechanism, username, password: new Secret(password) };
}

/** The environment's token wins over a file that only the configuration file names. */
function tokenOf(resolved: TokenSource, environment: Environment): Secret | null {
  const { tokenFile } = resolved.values;
  const given = environment[SECRET_VARIABLES.token]?.trim() ?? '';
  const fileIsWeaker = tokenFile === null || resolved.origins.get('tokenFile') === 'file';
  if (given !== '' && fileIsWeaker) return new Secret(given);
  if (tokenFile === null) return null;
  const token = readText('--token-file', tokenFile).trim();
  if (token === '') throw new UsageError(`--token-file: ${tokenFile} is empty`);
  return new Secret(token);
}

function readCertificates(option: string, file: string): string {
  const pem = readText(option, file);
  try {
    void new X509Certificate(pem);
  } catch {
    throw new UsageError(`${option}: ${file} holds no certificate in PEM`);
  }
  return pem;
}

function readText(option: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${option}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
