/**
 * One broker of each version for all tests that do not harm it, started before the first of them. Tests share
 * a broker by using topics and groups of their own; one that kills its broker starts one for itself.
 */
import type { TestProject } from 'vitest/node';
import { KAFKA_VERSIONS, type KafkaVersion } from './kafka-jars.ts';
import { type ProxiedListener, startKafka } from './kafka.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** `--brokers` of each version's shared broker: `inject('kafka')['3.4.0']`. */
    kafka: Readonly<Record<KafkaVersion, string>>;
    /** The listener of each that a test can put a proxy in front of. */
    proxied: Readonly<Record<KafkaVersion, ProxiedListener>>;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const running = await Promise.all(KAFKA_VERSIONS.map((version) => startKafka({ version })));
  const brokers = Object.fromEntries(running.map((kafka) => [kafka.version, kafka.brokers]));
  project.provide('kafka', brokers as Record<KafkaVersion, string>);
  const proxied = Object.fromEntries(running.map((kafka) => [kafka.version, kafka.proxied]));
  project.provide('proxied', proxied as Record<KafkaVersion, ProxiedListener>);
  return async () => {
    await Promise.all(running.map((kafka) => kafka.stop()));
  };
}
