/**
 * The command line: which commands there are, what each takes, and which exit status it comes to.
 *
 *   0  done
 *   1  failed: one line on standard error says what, and what to do
 *   2  wrong usage or configuration
 *
 * A command's code is loaded only when it runs, so that `--help` answers at once.
 */

import { Command, CommanderError } from 'commander';
import {
  analyzeOptions,
  doctorOptions,
  kioskOptions,
  processOptions,
  produceOptions,
  serveOptions,
  simulateOptions,
  topicsOptions,
} from '../config/checks.ts';
import { addOptions, type Invocation, readInvocation } from '../config/command-line.ts';
import {
  ANALYZE,
  DOCTOR,
  KIOSK,
  PROCESS,
  PRODUCE,
  SERVE,
  SIMULATE,
  TOPICS,
  TOPICS_DELETE,
} from '../config/declarations.ts';
import type { TopicsAction } from '../config/options.ts';
import { type Specs, unknownVariables } from '../config/resolve.ts';
import { UsageError } from '../config/values.ts';
import { requireFolder } from '../files/disk-folder.ts';
import { createLogger, type Logger } from '../logger.ts';
import { SOFTWARE } from '../protocol/software.ts';

const DONE = 0;
const FAILED = 1;
const WRONG_USAGE = 2;

/** `given` are the command's arguments, in their order. */
type Action<S> = (invocation: Invocation<S>, log: Logger, given: readonly string[]) => Promise<number>;

/** A command with its options; its action's status becomes the process's. */
function define<S extends Specs>(command: Command, group: string, specs: S, action: Action<S>): Command {
  return addOptions(command, specs).action(async (...words: unknown[]) => {
    const invocation = readInvocation(command, group, specs, process.env);
    const log = createLogger(invocation.common.logLevel);
    for (const warning of unknownVariables(process.env)) log.warn(warning);
    const given = words.flat().filter((word) => typeof word === 'string');
    process.exitCode = await action(invocation, log, given);
  });
}

function defineServe(program: Command): void {
  const command = program.command('serve').description('run the bridge: page, WebSocket, results, metrics');
  define(command, 'serve', SERVE, async ({ resolved }, log) => {
    const options = serveOptions(resolved, process.env);
    // Later a share may come and go; at the start a folder that is not there is a mistake.
    if (options.input.kind === 'folder') await requireFolder(options.input.folder);
    const { runServe } = await import('./serve.ts');
    return runServe(options, log);
  });
}

function defineProduce(program: Command): void {
  const command = program
    .command('produce')
    .description('send file pairs to Kafka; goes on where the topic ends')
    .argument('<dir>', 'folder with duck_i_NNNNN.dat and duck_q_NNNNN.dat, or s3://bucket/prefix');
  define(command, 'produce', PRODUCE, async ({ resolved }, log, [folder = '']) => {
    const options = produceOptions(folder, resolved, process.env);
    const { runProduce } = await import('./produce.ts');
    return runProduce(options, log);
  });
}

function defineSimulate(program: Command): void {
  const command = program
    .command('simulate')
    .description('write file pairs of a simulated DAQ')
    .argument('<dir>', 'folder to write to; made where it is not there');
  define(command, 'simulate', SIMULATE, async ({ resolved }, log, [folder = '']) => {
    const options = simulateOptions(folder, resolved);
    const { runSimulate } = await import('./simulate.ts');
    return runSimulate(options, log);
  });
}

const TOPIC_ACTIONS: Readonly<Record<Exclude<TopicsAction, 'delete'>, string>> = {
  create: 'create the topics that are missing, with the settings that they need',
  list: 'names of all topics',
  describe: 'partitions, records and settings of our topics',
};

function defineTopics(program: Command): void {
  const topics = program.command('topics').description('Kafka topics of slices, results and progress');
  for (const [action, help] of Object.entries(TOPIC_ACTIONS) as [TopicsAction, string][]) {
    define(topics.command(action).description(help), 'topics', TOPICS, async ({ resolved }, log) => {
      const options = topicsOptions(action, resolved.values, process.env);
      const { runTopics } = await import('./topics.ts');
      return runTopics(options, log);
    });
  }
  const remove = topics.command('delete').description('delete our topics and all that is in them');
  define(remove, 'topics', { ...TOPICS, ...TOPICS_DELETE }, async ({ resolved }, log) => {
    const options = topicsOptions('delete', resolved.values, process.env);
    const { runTopics } = await import('./topics.ts');
    return runTopics(options, log);
  });
}

function defineProcess(program: Command): void {
  const command = program
    .command('process')
    .description('compute spectra for a bridge without a browser')
    .argument(
      '<url>',
      'address of the bridge, such as http://127.0.0.1:8080/ or https://daq.example.org:8080/',
    );
  define(command, 'process', PROCESS, async ({ resolved }, log, [url = '']) => {
    const options = processOptions(url, resolved, process.env);
    const { runProcess } = await import('./process.ts');
    await runProcess(options, undefined, log);
    return DONE;
  });
}

function defineAnalyze(program: Command): void {
  const command = program
    .command('analyze')
    .description('spectrum of file pairs and other recordings, without bridge or network')
    .argument('<path...>', 'folders of recordings, recordings, saved results');
  define(command, 'analyze', ANALYZE, async ({ resolved }, log, paths) => {
    const options = analyzeOptions(paths, resolved);
    const { runAnalyze } = await import('./analyze.ts');
    return runAnalyze(options, log);
  });
}

function defineKiosk(program: Command): void {
  const command = program
    .command('kiosk')
    .description('show the page full screen on a wall display; restarts the browser when it crashed or hangs')
    .argument('<url>', 'address of the page, such as https://daq.example.org:8080/');
  define(command, 'kiosk', KIOSK, async ({ resolved }, log, [url = '']) => {
    const options = kioskOptions(url, resolved);
    const { runKiosk } = await import('./kiosk.ts');
    return runKiosk(options, log);
  });
}

function defineDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description(
      'say what this machine has: engines and their speed, Kafka, browser; and what to do about it',
    );
  define(command, 'doctor', DOCTOR, async ({ resolved }, log) => {
    const options = doctorOptions(resolved, process.env);
    const { runDoctor } = await import('./doctor.ts');
    return runDoctor(options, log);
  });
}

/** Commander's «error: unknown option '--x'\n(Did you mean --y?)» as one line of ours. */
const oneLine = (text: string): string =>
  `haloscope: ${text
    .trim()
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')}\n`;

function buildProgram(): Command {
  const program = new Command('haloscope')
    .description('Real-time power spectra for haloscopes')
    .version(SOFTWARE, '-V, --version')
    .addHelpText(
      'after',
      '\nEvery option is also HALOSCOPE_NAME in the environment and a key in haloscope.config.json.',
    );
  // Inherited by the commands, so it comes before them.
  program.exitOverride().configureOutput({ outputError: (text, write) => write(oneLine(text)) });
  const commands = [
    defineServe,
    defineProduce,
    defineSimulate,
    defineTopics,
    defineProcess,
    defineAnalyze,
    defineKiosk,
    defineDoctor,
  ];
  for (const add of commands) add(program);
  return program;
}

/** One line for a person; a stack only where nobody foresaw the error. */
function tell(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? DONE : WRONG_USAGE;
  if (error instanceof UsageError) {
    process.stderr.write(`haloscope: ${error.message}\n`);
    return WRONG_USAGE;
  }
  const known = error instanceof Error && 'code' in error;
  const text =
    error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
  process.stderr.write(`haloscope: ${text}\n`);
  return FAILED;
}

try {
  await buildProgram().parseAsync();
} catch (error) {
  process.exitCode = tell(error);
}
// A socket or a timer that somebody forgot must not keep a command alive that is done.
process.exit();
