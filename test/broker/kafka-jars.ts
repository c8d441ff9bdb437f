/** Jars of Apache Kafka, fetched once with Maven into `.cache/kafka-VERSION`. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findMaven, repository } from '../../scripts/machine.mjs';

/** The version of the existing cluster, and the newest one. */
export const KAFKA_VERSIONS = ['3.4.0', '4.4.0'] as const;
export type KafkaVersion = (typeof KAFKA_VERSIONS)[number];

/** Long enough for 80 MB over a slow line. */
const FETCH_TIMEOUT_MS = 10 * 60_000;

const run = promisify(execFile);

/**
 * Folder that holds the jars of this version; fetches them when it is not there yet.
 * @throws {Error} when Maven is missing or could not fetch them
 */
export async function kafkaJars(version: KafkaVersion): Promise<string> {
  const folder = join(repository, '.cache', `kafka-${version}`);
  if (existsSync(folder)) return folder;
  const maven = findMaven();
  if (maven === undefined) {
    throw new Error('Kafka for the tests is fetched with Maven, and mvn is not in PATH: install maven');
  }
  // Fetched beside and renamed when whole, so that an interrupted fetch is not taken for a complete one.
  const partial = `${folder}.${process.pid}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  const pom = join(repository, 'test', 'broker', 'pom.xml');
  const goal = ['dependency:copy-dependencies', `-Dkafka.version=${version}`, `-DoutputDirectory=${partial}`];
  try {
    await run(maven, ['-B', '-q', '-f', pom, ...goal], { timeout: FETCH_TIMEOUT_MS });
    if (!existsSync(folder)) await rename(partial, folder);
  } catch (cause) {
    throw new Error(`Maven could not fetch Kafka ${version}; is there a network?`, { cause });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return folder;
}
