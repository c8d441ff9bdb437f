/**
 * `doctor`: what this machine has, and what to do about each thing that could be better.
 *
 * Standard output carries the table, or JSON. Exit status 1 when something does not work that has to: Node is too
 * old, no engine computes right, or the brokers that were given cannot be reached.
 */
import type { DoctorOptions } from '../config/options.ts';
import type { Logger } from '../logger.ts';
import { SOFTWARE } from '../protocol/software.ts';
import { examineBroker } from './doctor/broker.ts';
import { examineBrowser } from './doctor/browser.ts';
import { examineEngines } from './doctor/engines.ts';
import { examineMachine } from './doctor/machine.ts';
import { isWell, type Report, reportJson, reportText } from './doctor/report.ts';

/** @returns the exit status */
export async function runDoctor(
  options: DoctorOptions,
  log: Logger,
  print: (text: string) => void = (text) => void process.stdout.write(text),
): Promise<number> {
  const { bins, json } = options;
  // One after the other: a browser or a broker's answer would take time from the engines that are measured.
  const engines = await examineEngines(options);
  const findings = [
    ...examineMachine(),
    ...(await examineBroker(options, log)),
    ...(options.browser ? await examineBrowser() : []),
  ];
  const report: Report = { software: SOFTWARE, bins, findings, engines };
  print(`${json ? reportJson(report) : reportText(report)}\n`);
  return isWell(report) ? 0 : 1;
}
