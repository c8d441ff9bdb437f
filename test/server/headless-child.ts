/** What `haloscope process URL` does, without the rest of the command line: built and started by the tests. */
import { runProcess } from '../../bridge/commands/process.ts';
import { Secret } from '../../bridge/config/secret.ts';

const [, , command, url] = process.argv;
if (command !== 'process' || url === undefined) throw new Error('usage: process URL');
try {
  const token = new Secret(process.env.HALOSCOPE_TOKEN ?? '');
  await runProcess({ url: new URL(url), token, ca: null, tlsName: null });
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
