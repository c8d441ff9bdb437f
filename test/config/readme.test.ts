/** The README's table of options is the one of `declarations.ts`. `WRITE_README=1` writes it anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OPTIONS_OF_COMMAND } from '../../bridge/config/declarations.ts';

const README = new URL('../../README.md', import.meta.url);
const BEGIN = '<!-- options: written by test/config/readme.test.ts -->\n';
const END = '<!-- end of options -->';

function table(): string {
  const rows = new Map<string, { readonly cells: string; readonly commands: string[] }>();
  for (const [command, specs] of Object.entries(OPTIONS_OF_COMMAND)) {
    for (const { name, takes, help, fallback } of Object.values(specs)) {
      const flag = takes === null ? `--${name}` : `--${name} ${takes}`;
      const preset = fallback === null || takes === null ? '' : `\`${fallback}\``;
      const cells = `| \`${flag}\` | ${help.replaceAll('|', '\\|')} | ${preset} |`;
      const row = rows.get(cells) ?? { cells, commands: [] };
      row.commands.push(command);
      rows.set(cells, row);
    }
  }
  const all = Object.keys(OPTIONS_OF_COMMAND).length;
  const lines = [...rows.values()].map(
    ({ cells, commands }) => `${cells} ${commands.length === all ? 'all' : commands.join(', ')} |`,
  );
  return ['| option | meaning | default | commands |', '| --- | --- | --- | --- |', ...lines, ''].join('\n');
}

test('the README lists every option of every command, as declared', () => {
  const text = readFileSync(README, 'utf8');
  const from = text.indexOf(BEGIN) + BEGIN.length;
  const to = text.indexOf(END);
  expect(from).toBeGreaterThan(BEGIN.length);
  expect(to).toBeGreaterThanOrEqual(from);
  if (process.env['WRITE_README'] === '1') {
    writeFileSync(README, text.slice(0, from) + table() + text.slice(to));
    return;
  }
  expect(text.slice(from, to)).toBe(table());
});
