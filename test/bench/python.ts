/**
 * The same work in Python, for scale: one process with scipy, once with kafka-python and once with confluent-kafka,
 * in a virtual environment under `.cache`. Where there is no Python these rows are absent, and the table says so.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { repository } from '../../scripts/machine.mjs';
import { venvPython } from '../venv.ts';
import { until } from '../e2e/haloscope.ts';
import { NOMINAL_SLICES } from '../e2e/samples.ts';

export const PYTHON_CLIENTS = ['kafka-python', 'confluent'] as const;
export type PythonClient = (typeof PYTHON_CLIENTS)[number];

const VENV = {
  name: 'bench-venv',
  packages: ['numpy', 'scipy', 'kafka-python', 'crc32c', 'confluent-kafka'],
  modules: ['scipy', 'kafka', 'crc32c', 'confluent_kafka'],
};
const READY_TIMEOUT_MS = 30_000;

/** Python of the virtual environment; undefined, with the reason said, where it cannot be had. */
export async function comparatorPython(): Promise<string | undefined> {
  try {
    const python = await venvPython(VENV);
    if (python === undefined) console.log('no python3 in PATH: the rows for Python are left out');
    return python;
  } catch (error) {
    console.log(
      `the rows for Python are left out: ${error instanceof Error ? error.message : String(error)}`,
    );
    return undefined;
  }
}

export interface Comparator {
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts the Python process, and waits until it has its partitions. */
export async function startComparator(
  python: string,
  client: PythonClient,
  where: { readonly brokers: string; readonly topicIn: string; readonly topicOut: string },
  files: number,
): Promise<Comparator> {
  const kafka = ['--brokers', where.brokers, '--topic', where.topicIn, '--results', where.topicOut];
  const script = join(repository, 'test', 'bench', 'comparator.py');
  const words = [
    script,
    '--client',
    client,
    ...kafka,
    '--slices',
    String(NOMINAL_SLICES),
    '--files',
    String(files),
  ];
  const child = spawn(python, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'close');
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${python} did not start`);
  const isReady = (): Promise<true | undefined> => Promise.resolve(output.includes('ready') || undefined);
  await until(`Python with ${client} has its partitions`, isReady, READY_TIMEOUT_MS);
  return {
    pid,
    stop: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
