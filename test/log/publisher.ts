/**
 * Publishes file after file, one per transaction, beginning where the progress says, and prints the number of files
 * after every acknowledgement, until it is killed. An error is printed as its code, and ends the publishing. Every third transaction carries two files.
 */

import { randomBytes } from 'node:crypto';
import { LmdbOutput } from '../../bridge/log/embedded/output.ts';
import { LogError, type OutputPort, type ResultRecord } from '../../bridge/log/port.ts';
import { kafkaTestOutput } from './kafka-fixture.ts';
import type { ChildTarget } from './publishing-child.ts';

/** Large enough that a kill can fall into the middle of a write. */
const VALUE_BYTES = 100_000;

function open(target: ChildTarget): OutputPort {
  return target.kind === 'embedded'
    ? new LmdbOutput({ directory: target.directory })
    : kafkaTestOutput(target);
}

const resultOf = (file: number): ResultRecord => ({
  run: 'child',
  file,
  // Random, so that compression does not make it small.
  value: randomBytes(VALUE_BYTES),
  headers: {},
});

const output = open(JSON.parse(process.argv[2] as string) as ChildTarget);
let next = Number((await output.acquire())?.toString('utf8') ?? 0);
for (let turn = 0; ; turn++) {
  const count = turn % 3 === 2 ? 2 : 1;
  const results = Array.from({ length: count }, (_, i) => resultOf(next + i));
  next += count;
  try {
    await output.publish(results, Buffer.from(String(next)));
  } catch (error) {
    process.stdout.write(`error ${error instanceof LogError ? error.code : String(error)}\n`);
    break;
  }
  process.stdout.write(`${next}\n`);
}
// Stays, as a bridge does, until it is killed.
setInterval(() => {}, 1000);
