/** Kafka, where brokers were given: reachable, which version, our topics and whether they keep enough. */
import type { DoctorOptions } from '../../config/options.ts';
import {
  type ClusterDescription,
  KafkaTopics,
  progressTopic,
  retentionHours,
  type TopicDescription,
} from '../../log/kafka/topics.ts';
import { LogError } from '../../log/port.ts';
import type { Logger } from '../../logger.ts';
import { MAX_MESSAGE_VALUE_BYTES } from '../../protocol/geometry.ts';
import type { Finding, Health } from './report.ts';

/** A night's outage of everything but the DAQ. */
const ENOUGH_HOURS = 4;
/** Message and its headers; Kafka's own default is a little more. */
const LEAST_MESSAGE_BYTES = MAX_MESSAGE_VALUE_BYTES + 4096;

const finding = (what: string, health: Health, found: string, advice: string | null): Finding => ({
  part: 'broker',
  what,
  health,
  found,
  advice,
});

export async function examineBroker(options: DoctorOptions, logger: Logger): Promise<Finding[]> {
  const { connection, topicIn, topicOut } = options;
  if (connection === null) return [];
  const topics = new KafkaTopics({ connection, clientId: 'haloscope-doctor', logger });
  const where = connection.brokers.join(', ');
  try {
    const cluster = clusterFinding(where, await topics.cluster());
    const wanted = [topicIn, topicOut, progressTopic(topicOut)];
    const there = await topics.list();
    const present = wanted.filter((name) => there.includes(name));
    const described = present.length === 0 ? [] : await topics.describe(present);
    const missing = wanted.filter((name) => !there.includes(name)).map(missingFinding);
    return [cluster, ...described.map((topic) => topicFinding(topic, topic.name === topicIn)), ...missing];
  } catch (error) {
    return [faultFinding(where, error)];
  } finally {
    await topics.close();
  }
}

function faultFinding(where: string, error: unknown): Finding {
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof LogError && error.code === 'unauthorized') {
    const advice =
      'check user and password (--sasl-username, --sasl-password-file) and what the brokers let it do';
    return finding(where, 'bad', `refused: ${reason}`, advice);
  }
  const advice =
    'check --brokers, that Kafka runs there, that its advertised.listeners is a name that this machine ' +
    'resolves, and the options of security (--ssl, --sasl-mechanism)';
  return finding(where, 'bad', `not reachable: ${reason}`, advice);
}

function clusterFinding(where: string, { brokers, interBrokerProtocol }: ClusterDescription): Finding {
  const version =
    interBrokerProtocol === null
      ? 'Kafka 4.0 or newer'
      : `Kafka ${interBrokerProtocol.replace(/-IV\d+$/, '')}`;
  return finding(where, 'well', `reachable: ${version}; brokers ${brokers.join(', ')}`, null);
}

const missingFinding = (name: string): Finding =>
  finding(
    name,
    'note',
    'not there',
    '"haloscope topics create" makes it with the right settings, and so does serve',
  );

function topicFinding(topic: TopicDescription, isInput: boolean): Finding {
  const { name, partitions, replication, records, settings } = topic;
  const kept = isInput ? inputRetention(topic) : null;
  const words = [
    `${partitions} partitions, ${replication === 1 ? '1 copy' : `${replication} copies`}`,
    `${records} records`,
    ...(kept === null ? [] : [kept.words]),
    ...Object.entries(settings).map(([key, value]) => `${key}=${value}`),
  ];
  const limit = Number(settings['max.message.bytes'] ?? Infinity);
  const advice =
    isInput && limit < LEAST_MESSAGE_BYTES
      ? `set max.message.bytes to ${LEAST_MESSAGE_BYTES} or more: messages hold up to ${MAX_MESSAGE_VALUE_BYTES} bytes`
      : (kept?.advice ?? null);
  return finding(name, advice === null ? 'well' : 'note', words.join('; '), advice);
}

/** How long the input keeps one cavity's data. */
function inputRetention({ partitions, settings }: TopicDescription): {
  words: string;
  advice: string | null;
} {
  const bytes = Number(settings['retention.bytes'] ?? -1);
  if (bytes < 0) {
    return {
      words: 'kept by age alone',
      advice:
        'set retention.bytes per partition to what the disk holds: seven days of one cavity, Kafka’s default, ' +
        'are 9.7 TB',
    };
  }
  const hours = retentionHours(partitions, bytes);
  const words = `keeps ${hours.toFixed(1)} hours of one cavity (16 MB/s)`;
  const advice =
    hours >= ENOUGH_HOURS
      ? null
      : `data that nobody has processed after ${hours.toFixed(1)} hours are lost: raise retention.bytes`;
  return { words, advice };
}
