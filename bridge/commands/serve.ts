/**
 * `serve`: the bridge. Puts input, output, pipeline, server and headless processor together, and takes them apart
 * again in the order in which nothing is lost.
 */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ServeInput, ServeOptions } from '../config/options.ts';
import { HistoryKeeper } from '../history/history.ts';
import { FolderInput } from '../log/embedded/folder-input.ts';
import { LmdbOutput } from '../log/embedded/output.ts';
import { SimulatorInput } from '../log/embedded/simulator-input.ts';
import type { KafkaClientOptions } from '../log/kafka/client.ts';
import { KafkaInput } from '../log/kafka/input.ts';
import { KafkaOutput } from '../log/kafka/output.ts';
import { KafkaRetention } from '../log/kafka/retention.ts';
import { KafkaProgressBoard } from '../log/kafka/progress-board.ts';
import { DEFAULT_PARTITIONS, DEFAULT_RETENTION_BYTES, KafkaTopics } from '../log/kafka/topics.ts';
import {
  type Announcement,
  type InputPort,
  LogError,
  type OutputPort,
  type RetentionPort,
} from '../log/port.ts';
import { createLogger, type Logger } from '../logger.ts';
import { BridgeMetrics } from '../metrics.ts';
import { Pipeline } from '../pipeline.ts';
import type { ScaleOut } from '../shares.ts';
import { SOFTWARE } from '../protocol/software.ts';
import { INCOMPLETE_AFTER_MS } from '../assembly/assembler.ts';
import { HeadlessSupervisor } from '../server/headless.ts';
import { type BridgeServer, ServerError, startServer } from '../server/server.ts';
import { CertificateError, type CertificateSource } from '../server/tls/certificate.ts';
import { loadToken } from '../server/token.ts';
import { openCertificate, tellAddresses } from './serve-tls.ts';

/** First and longest pause between attempts to reach a broker that is not there. */
const BROKER_RETRY_FIRST_MS = 500;
const BROKER_RETRY_LAST_MS = 10_000;

/** After this a stop that hangs is ended by force; the contract is 10 s. */
const STOP_MS = 9_500;

/** The built page lies beside the built commands. */
const WEB_FOLDER = fileURLToPath(new URL('../web', import.meta.url));

interface Ports {
  readonly input: InputPort;
  readonly output: OutputPort;
  readonly retention: RetentionPort | null;
  readonly scaleOut: ScaleOut | null;
  readonly inputName: string;
  readonly run: string;
  /** What the results are of, in words that stay the same. */
  readonly source: string;
}

/** @returns the exit status */
export async function runServe(options: ServeOptions, log: Logger = createLogger()): Promise<number> {
  let certificate: CertificateSource | null;
  try {
    certificate = await openCertificate(options, log);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    log.error(error.message);
    return 2;
  }
  const metrics = new BridgeMetrics();
  const announced: { urls: readonly string[]; machine: string } = { urls: [], machine: hostname() };
  const ports = openPorts(options, log, () => announced);
  const pipeline = new Pipeline({
    ...ports,
    geometry: options.geometry,
    slicesPerFile: options.slicesPerFile,
    from: options.from,
    incompleteAfterMs: INCOMPLETE_AFTER_MS,
    software: SOFTWARE,
    machine: announced.machine,
    metrics,
    logger: log,
  });
  const history = new HistoryKeeper({
    output: ports.output,
    directory: dataFolderOf(options, 'history', ports.source),
    bins: options.geometry.bins,
    logger: log,
  });
  const token = loadToken(options.dataFolder, options.token);
  let server: BridgeServer;
  try {
    server = await startServer(pipeline, {
      listen: options.listen,
      publicOrigins: options.publicOrigins,
      tls: certificate,
      token,
      trustLocalPages: options.input.kind !== 'kafka',
      webFolder: WEB_FOLDER,
      software: SOFTWARE,
      metrics,
      history,
      log,
    });
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    log.error(error.message);
    return 1;
  }
  const headless = new HeadlessSupervisor({
    policy: options.processor,
    server,
    token,
    trust: certificate?.trust ?? null,
    entry: fileURLToPath(import.meta.resolve('./haloscope.js')),
    log,
  });
  const stopping = stopSignal(log);
  const { url, reachable } = tellAddresses(options, server, certificate, log);
  announced.urls = reachable;
  const page = process.stdout.isTTY ? `${url}#token=${token.reveal()}` : url;
  process.stdout.write(`open ${page}\n`);
  headless.start();
  const status = await runUntil(options.input, pipeline, history, stopping, log);
  await Promise.race([takeDown(pipeline, history, headless, server), forceAfter(STOP_MS, log)]);
  log.info('stopped');
  return status;
}

/** Until a signal comes; 1 when the bridge cannot begin at all. */
async function runUntil(
  input: ServeInput,
  pipeline: Pipeline,
  history: HistoryKeeper,
  stopping: AbortSignal,
  log: Logger,
): Promise<number> {
  try {
    if (input.kind === 'kafka') await ensureTopics(input, pipeline, stopping, log);
    if (!stopping.aborted) await pipeline.start();
    if (!stopping.aborted) history.start();
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    log.error(error.message);
    return 1;
  }
  if (!stopping.aborted) await new Promise((resolve) => stopping.addEventListener('abort', resolve));
  return 0;
}

function kafkaPorts(
  { connection, topicIn, topicOut, group, scaleOut }: Extract<ServeInput, { kind: 'kafka' }>,
  { from, run }: ServeOptions,
  logger: Logger,
  announce: () => Announcement,
): Ports {
  const client = { connection, clientId: 'haloscope-bridge', logger };
  const transactionalId = `haloscope-${group}-${topicOut}`;
  const output = new KafkaOutput({ ...client, topic: topicOut, transactionalId });
  const sharing = scaleOut ? 'spread' : 'one';
  return {
    input: new KafkaInput({ ...client, topic: topicIn, group, from, sharing, announce }),
    output,
    scaleOut: scaleOut ? kafkaScaleOut(client, topicOut, transactionalId) : null,
    retention: new KafkaRetention(client, topicIn),
    inputName: topicIn,
    run: run ?? 'run',
    source: `kafka ${topicOut}`,
  };
}

function kafkaScaleOut(client: KafkaClientOptions, topic: string, transactionalId: string): ScaleOut {
  const outputs = new Map<number, KafkaOutput>();
  const board = new KafkaProgressBoard({ ...client, topic });
  const newOutput = (partition: number): KafkaOutput =>
    new KafkaOutput({ ...client, topic, partition, transactionalId: `${transactionalId}-${partition}` });
  return {
    output: (partition) => {
      const output = outputs.get(partition) ?? newOutput(partition);
      outputs.set(partition, output);
      return output;
    },
    others: () => board.read(),
    close: () => board.close(),
  };
}

function openPorts(options: ServeOptions, logger: Logger, announce: () => Announcement): Ports {
  const { input, geometry, from } = options;
  switch (input.kind) {
    case 'kafka':
      return kafkaPorts(input, options, logger, announce);
    case 'folder': {
      const run = options.run ?? 'folder';
      const problem = (name: string, reason: string): void => logger.warn({ file: name }, reason);
      return {
        scaleOut: null,
        input: new FolderInput({
          folder: input.folder,
          settleMs: input.settleMs,
          geometry,
          run,
          from,
          problem,
        }),
        output: new LmdbOutput({ directory: dataFolderOf(options, 'store', input.folder) }),
        retention: null,
        inputName: input.folder,
        run,
        source: input.folder,
      };
    }
    case 'simulator': {
      const run = options.run ?? 'simulated';
      const samplesPerFile = options.slicesPerFile * geometry.bins;
      const source = `simulator ${JSON.stringify(input.signal)}`;
      return {
        scaleOut: null,
        input: new SimulatorInput({ signal: input.signal, run, from, samplesPerFile }),
        output: new LmdbOutput({ directory: dataFolderOf(options, 'store', source) }),
        retention: null,
        inputName: 'simulated DAQ',
        run,
        source,
      };
    }
  }
}

/** One folder per input: the progress and the history of one say nothing about another. */
function dataFolderOf(options: ServeOptions, what: 'store' | 'history', source: string): string {
  const name = createHash('sha256').update(source).digest('hex').slice(0, 12);
  return join(options.dataFolder, `${what}-${options.geometry.bins}-${name}`);
}

/** Waits for a broker that is not there yet; a missing topic under `--no-create` is final. */
async function ensureTopics(
  input: Extract<ServeInput, { kind: 'kafka' }>,
  pipeline: Pipeline,
  stopping: AbortSignal,
  log: Logger,
): Promise<void> {
  const { connection, topicIn, topicOut, create } = input;
  const settings = {
    input: topicIn,
    results: topicOut,
    partitions: DEFAULT_PARTITIONS,
    replication: 1,
    retentionBytes: DEFAULT_RETENTION_BYTES,
    resultsRetentionMs: null,
  };
  let pauseMs = BROKER_RETRY_FIRST_MS;
  while (!stopping.aborted) {
    const topics = new KafkaTopics({ connection, clientId: 'haloscope-topics', logger: log });
    try {
      const created = await topics.ensure(settings, { create });
      if (created.length > 0) log.info({ topics: created }, 'created topics');
      return;
    } catch (error) {
      if (!(error instanceof LogError) || error.code === 'missing-topic') throw error;
      pipeline.cannotBegin(error);
    } finally {
      await topics.close();
    }
    await sleep(pauseMs, undefined, { signal: stopping }).catch(() => {});
    pauseMs = Math.min(2 * pauseMs, BROKER_RETRY_LAST_MS);
  }
}

function stopSignal(log: Logger): AbortSignal {
  const controller = new AbortController();
  const stop = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) return;
    log.info({ signal }, 'stopping: finishing the file in hand');
    controller.abort();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return controller.signal;
}

/** The files in hand need their processors, so these go last. */
async function takeDown(
  pipeline: Pipeline,
  history: HistoryKeeper,
  headless: HeadlessSupervisor,
  server: BridgeServer,
): Promise<void> {
  await pipeline.stop();
  await Promise.all([headless.stop(), server.close(), history.stop()]);
}

async function forceAfter(ms: number, log: Logger): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms).unref());
  log.warn('stopping took too long: what was not published will be read again');
}
