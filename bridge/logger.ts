/**
 * The log of a command: one line per event on standard error, so that standard output carries results only.
 *
 * On a terminal lines are for people (`12:03:04 warn  text key=value`); elsewhere each is JSON with the time
 * as RFC 3339. Commands set the least level by `--log-level`.
 */

import pino, { type Logger } from 'pino';
import { oneLine } from './one-line.ts';

export type { Logger } from 'pino';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

interface LineSink {
  write(text: string): void;
}

/** Fields that every line has, or that are written on their own. */
const NOT_SHOWN = new Set(['level', 'time', 'msg', 'err', 'pid', 'hostname']);

/** What `createLogger` makes pino write. */
interface PinoLine {
  readonly level: string;
  readonly time: string;
  readonly msg?: string;
  readonly err?: { readonly message: string };
}

/** One JSON line of pino as a line for people. */
function prettyLine(json: string): string {
  const line = JSON.parse(json) as PinoLine;
  const time = new Date(line.time).toTimeString().slice(0, 8);
  const fields = Object.entries(line)
    .filter(([name]) => !NOT_SHOWN.has(name))
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const cause = line.err === undefined ? '' : `: ${line.err.message}`;
  return `${oneLine(`${time} ${line.level.padEnd(5)} ${line.msg ?? ''}${cause}${fields.join('')}`)}\n`;
}

const stderrSink: LineSink = { write: (text) => void process.stderr.write(text) };

const prettySink = (to: LineSink): LineSink => ({ write: (json) => to.write(prettyLine(json)) });

/** @param pretty default: standard error is a terminal. */
export function createLogger(
  level: LogLevel = 'info',
  pretty = process.stderr.isTTY,
  to: LineSink = stderrSink,
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pretty ? prettySink(to) : to,
  );
}
