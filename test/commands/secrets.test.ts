/** Secrets are in no list of processes, no log, no answer and no file that others can read. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { TOKEN } from '../e2e/haloscope.ts';
import { keptBridge, keptCommand, keptFolder } from '../e2e/kept.ts';

/** Real processes, on a machine that is busy. */
vi.setConfig({ testTimeout: 60_000 });

/** Command lines of a process and of all below it, as `ps` shows them to everybody. */
async function commandLines(pid: number): Promise<string[]> {
  const own = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const below = await Promise.all(
    children
      .split(' ')
      .filter(Boolean)
      .map((child) => commandLines(Number(child))),
  );
  return [own.replaceAll('\0', ' '), ...below.flat()];
}

test('the token of a bridge with a headless processor', async () => {
  const bridge = await keptBridge(
    '--data',
    await keptFolder(),
    '--processor',
    'always',
    '--log-level',
    'trace',
  );
  await bridge.processor();
  const lines = await commandLines(bridge.process.pid);
  expect(lines.length).toBeGreaterThanOrEqual(2);
  expect(lines.join('\n')).not.toContain(TOKEN);
  // Somebody puts it where it does not belong.
  const answers = await Promise.all(
    [`api/state?token=${TOKEN}`, TOKEN, `api/runs/${TOKEN}/spectrum.csv`, 'metrics', 'readyz'].map(
      async (path) => {
        const response = await bridge.get(path);
        return response.text();
      },
    ),
  );
  expect(answers.filter((text, at) => at !== 2 && text.includes(TOKEN))).toEqual([]);
  expect(bridge.process.stdout).not.toContain(TOKEN);
  expect(bridge.process.stderr).not.toContain(TOKEN);
  await bridge.stop();
});

test('a token that the bridge makes is for its owner only, and not printed where nobody looks', async () => {
  const folder = await keptFolder();
  const command = keptCommand(
    'serve',
    '--listen',
    '127.0.0.1:0',
    '--data',
    folder,
    '--token-file',
    join(folder, 'given'),
  );
  // The file is not there: the path is named, and nothing else.
  expect((await command.finished()).status).toBe(2);
  await writeFile(join(folder, 'given'), 'a-token-from-a-file-0123456789\n', { mode: 0o600 });
  const bridge = await keptBridge(
    '--data',
    folder,
    '--token-file',
    join(folder, 'given'),
    '--processor',
    'none',
  );
  expect(bridge.process.stdout + bridge.process.stderr).not.toContain(TOKEN);
  expect(bridge.process.stdout + bridge.process.stderr).not.toContain('a-token-from-a-file');
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const { mode } = await stat(path);
    const isSecret =
      name !== 'given' && (await readFile(path, 'utf8').catch(() => '')).includes('a-token-from-a-file');
    expect([name, isSecret && (mode & 0o077) !== 0]).toEqual([name, false]);
  }
});

test('the password and the key for the brokers', async () => {
  const folder = await keptFolder();
  const password = 'a-password-that-nobody-may-see';
  await writeFile(join(folder, 'password'), password);
  const command = keptCommand(
    'serve',
    '--listen',
    '127.0.0.1:0',
    '--data',
    folder,
    '--brokers',
    '127.0.0.1:1',
    '--log-level',
    'trace',
    '--sasl-mechanism',
    'plain',
    '--sasl-username',
    'somebody',
    '--sasl-password-file',
    join(folder, 'password'),
  );
  await expect.poll(() => command.stderr, { timeout: 30_000 }).toContain('127.0.0.1:1');
  expect((await commandLines(command.pid)).join('\n')).not.toContain(password);
  await command.stop();
  expect(command.stdout + command.stderr).not.toContain(password);
});
