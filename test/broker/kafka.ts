/**
 * A real Apache Kafka for the tests: one KRaft node from jars, on loopback, in a temporary folder, with timeouts
 * short enough that a killed broker is back in seconds.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { findJava } from '../../scripts/machine.mjs';
import { type KafkaVersion, kafkaJars } from './kafka-jars.ts';

/** 2–4 s alone; the rest is for a machine that is busy with something else. */
const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
const READY_POLL_MS = 100;
/** Below the ephemeral ports of Linux (32 768) and of all others. */
const QUIET_PORTS = [15_000, 32_000] as const;

export interface KafkaOptions {
  readonly version: KafkaVersion;
  /** Lines of `server.properties` that differ from the ones below. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A second listener of the broker, which sends its clients to a port where a proxy of the test can listen. */
export interface ProxiedListener {
  /** Where the broker listens: what the proxy connects to. */
  readonly port: number;
  /** Where the broker says that it listens: the proxy's own port. */
  readonly advertisedPort: number;
}

export interface RunningKafka {
  readonly version: KafkaVersion;
  /** What `--brokers` takes. Stays the same over restarts. */
  readonly brokers: string;
  readonly proxied: ProxiedListener;
  /** Process id of the running broker; undefined while it is down. */
  pid(): number | undefined;
  /** kill −9 unless told otherwise; resolves when the process is gone. */
  kill(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Starts again on the same data and ports, after a kill -9 when it still runs; resolves when it answers. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** What the broker wrote, for a failed test's message. */
  log(): Promise<string>;
  /** Ends the broker and removes its data. */
  stop(): Promise<void>;
}

/** Starts a broker and waits until it answers. */
export async function startKafka(options: KafkaOptions): Promise<RunningKafka> {
  const node = new KafkaNode(options.version, await findLauncher(), await kafkaJars(options.version));
  await node.prepare(options.settings ?? {});
  await node.start();
  return node;
}

async function findLauncher(): Promise<string> {
  const java = findJava();
  if (java === undefined) throw new Error('Kafka needs a Java runtime, 17 or newer: install one');
  return java;
}

class KafkaNode implements RunningKafka {
  readonly version: KafkaVersion;
  brokers = '';
  proxied: ProxiedListener = { port: 0, advertisedPort: 0 };
  readonly #java: string;
  readonly #classPath: string;
  #folder = '';
  #process: ChildProcess | undefined;
  /** Last resort when the test process ends without `stop`. */
  readonly #killAtExit = (): void => {
    this.#process?.kill('SIGKILL');
  };

  constructor(version: KafkaVersion, java: string, jars: string) {
    this.version = version;
    this.#java = java;
    this.#classPath = join(jars, '*');
  }

  /** Writes the settings and formats the storage. */
  async prepare(settings: Readonly<Record<string, string>>): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'haloscope-kafka-'));
    const [port, controllerPort, proxiedPort] = await freePorts(3);
    this.brokers = `127.0.0.1:${port}`;
    this.proxied = { port: proxiedPort, advertisedPort: await quietPort() };
    const listeners = listenerSettings(port, controllerPort, this.proxied);
    const all = { ...listeners, ...nodeSettings(join(this.#folder, 'data')), ...settings };
    const lines = Object.entries(all).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(this.#settingsFile, lines.join(''));
    // With an equals sign, because one in 64 begins with a hyphen.
    const clusterId = randomBytes(16).toString('base64url');
    const format = [
      'kafka.tools.StorageTool',
      'format',
      `--cluster-id=${clusterId}`,
      '-c',
      this.#settingsFile,
    ];
    await promisify(execFile)(this.#java, ['-cp', this.#classPath, ...format]);
  }

  async start(): Promise<void> {
    const log = openSync(this.#logFile, 'a');
    const flags = ['-Xmx512m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
    const main = ['-cp', this.#classPath, 'kafka.Kafka', this.#settingsFile];
    const child = spawn(this.#java, [...flags, ...main], { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#process = child;
    process.once('exit', this.#killAtExit);
    await this.#ready(child);
  }

  pid(): number | undefined {
    return this.#process?.pid;
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#process = undefined;
    process.removeListener('exit', this.#killAtExit);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    const harder = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await gone;
    clearTimeout(harder);
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  log(): Promise<string> {
    return readFile(this.#logFile, 'utf8');
  }

  async stop(): Promise<void> {
    // The data go with it, so nothing is won by a clean end, which takes seconds.
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #settingsFile(): string {
    return join(this.#folder, 'server.properties');
  }

  get #logFile(): string {
    return join(this.#folder, 'broker.log');
  }

  /** Ready is when the cluster names this broker: before, it listens but is still fenced by its controller. */
  async #ready(child: ChildProcess): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (performance.now() < deadline) {
      if (child.exitCode !== null || child.signalCode !== null) break;
      if ((await brokersInCluster(this.brokers)) > 0) return;
      await sleep(READY_POLL_MS);
    }
    const state = child.exitCode === null ? 'does not answer' : `ended with status ${child.exitCode}`;
    const tail = (await this.log()).slice(-4000);
    await this.kill();
    throw new Error(`Kafka ${this.version} ${state}; its last words:\n${tail}`);
  }
}

/** Brokers that the cluster knows of; 0 when it does not answer. */
async function brokersInCluster(brokers: string): Promise<number> {
  const kafka = new Kafka({
    brokers: [brokers],
    connectionTimeout: 1000,
    requestTimeout: 2000,
    retry: { retries: 0 },
    logLevel: logLevel.NOTHING,
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length;
  } catch {
    return 0;
  } finally {
    await admin.disconnect();
  }
}

function listenerSettings(
  port: number,
  controllerPort: number,
  proxied: ProxiedListener,
): Record<string, string> {
  const at = (name: string, where: number): string => `${name}://127.0.0.1:${where}`;
  const direct = at('PLAINTEXT', port);
  const controller = at('CONTROLLER', controllerPort);
  return {
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: [direct, at('PROXIED', proxied.port), controller].join(),
    'advertised.listeners': [direct, at('PROXIED', proxied.advertisedPort)].join(),
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
  };
}

function nodeSettings(dataFolder: string): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'log.dirs': dataFolder,
    // Topics are made by the code under test, with its settings, or not at all.
    'auto.create.topics.enable': 'false',
    // Back after kill -9 in 5–6 s instead of 13–15 s.
    'broker.session.timeout.ms': '2000',
    'broker.heartbeat.interval.ms': '300',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    // One partition each for the internal topics: seconds less per test.
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
  };
}

/** Ports that were free a moment ago; all are held until all are known, so they differ. */
async function freePorts(count: 3): Promise<[number, number, number]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    const port = await listenOn(server, 0);
    if (port === null) throw new Error('no TCP port to be had on 127.0.0.1');
    ports.push(port);
  }
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  return ports as [number, number, number];
}

/** A free port below those that systems hand out by themselves: nobody takes it before the proxy does. */
async function quietPort(): Promise<number> {
  for (;;) {
    const port = randomInt(...QUIET_PORTS);
    const server = createServer();
    if ((await listenOn(server, port)) === null) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** @returns the port; null where it is taken */
async function listenOn(server: Server, port: number): Promise<number | null> {
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return null;
  }
  return (server.address() as AddressInfo).port;
}
