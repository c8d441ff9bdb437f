/** `produce DIR`: the folder's pairs to Kafka. */

import type { ProduceOptions } from '../config/options.ts';
import { DiskFolder } from '../files/disk-folder.ts';
import type { PairFolder } from '../files/pairs.ts';
import { parseS3Url } from '../files/s3/s3-url.ts';
import { KafkaProducer } from '../log/kafka/producer.ts';
import { LogError } from '../log/port.ts';
import type { Logger } from '../logger.ts';
import { FolderProducer, type ProduceReport } from '../producer/producer.ts';
import { createProgress } from '../progress-display.ts';
import { giveUpSignal, stopSignal } from '../stop-signal.ts';

const BYTES_PER_MB = 1e6;
/** After a signal, reading is ended after so long; the contract gives ten seconds for everything. */
const GIVE_UP_MS = 7_000;

/** @returns the exit status: 1 where a file could not be used */
export async function runProduce(options: ProduceOptions, log: Logger): Promise<number> {
  const { connection, topic, run } = options;
  const port = new KafkaProducer({ connection, topic, clientId: 'haloscope-produce', logger: log });
  const progress = createProgress('sending', log);
  const stop = stopSignal(() => log.info('stopping after the messages in hand'));
  // A batch in hand is acknowledged within a second or two; a bucket that hangs must not keep us longer.
  const folder = await folderOf(options, giveUpSignal(stop, GIVE_UP_MS));
  let problems = 0;
  const events = {
    problem: ({
      code,
      file,
      message,
    }: {
      readonly code: string;
      readonly file: string;
      readonly message: string;
    }) => {
      problems++;
      log.warn({ file, problem: code }, message);
    },
    sent: (_file: number, bytes: number) => progress.file(bytes),
    total: (files: number) => progress.total(files),
  };
  try {
    const report = await new FolderProducer({ ...options, folder }, port, events, log).run(stop);
    progress.end();
    process.stdout.write(summary(report, run, topic, problems));
    return problems > 0 ? 1 : 0;
  } catch (error) {
    progress.end();
    throw explained(error, topic);
  } finally {
    await port.close();
  }
}

/** A folder of a disk, or what lies under a prefix of a bucket. */
async function folderOf({ folder, endpoint }: ProduceOptions, signal: AbortSignal): Promise<PairFolder> {
  const url = parseS3Url(folder);
  if (url === null) return new DiskFolder(folder);
  // Loaded only here: the SDK is larger than all the rest.
  const { S3Folder } = await import('../files/s3/s3-folder.ts');
  return S3Folder.open(url, { endpoint, signal });
}

function summary(report: ProduceReport, run: string, topic: string, problems: number): string {
  const { files, skipped, messages, bytes, unfinished } = report;
  const lines = [
    `${files} pairs of ${run} to ${topic}: ${messages} messages, ${(bytes / BYTES_PER_MB).toFixed(1)} MB; ${skipped} were there before, ${problems} problems`,
    ...unfinished.map(
      ({ file, slice }) => `stopped in file ${file}: the next call goes on with its slice ${slice}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function explained(error: unknown, topic: string): unknown {
  if (!(error instanceof LogError) || error.code !== 'missing-topic') return error;
  return new LogError(
    error.code,
    `${topic} is not there: haloscope topics create makes it (${error.message})`,
    {
      cause: error,
    },
  );
}
