import { expect, test } from 'vitest';
import { buildOf } from '../../web/ui/reload.ts';

const page = (head: string): string => `<!doctype html><html><head>${head}</head><body></body></html>`;
const SCRIPT = '<script type="module" crossorigin src="./assets/index-C2ocd-yC.js"></script>';
const STYLE = '<link rel="stylesheet" crossorigin href="./assets/index-DjW-ILit.css">';

test('a build is told by its scripts and style sheets', () => {
  expect(buildOf(page(SCRIPT + STYLE))).toBe('./assets/index-C2ocd-yC.js ./assets/index-DjW-ILit.css');
  expect(buildOf(page(SCRIPT))).not.toBe(buildOf(page(SCRIPT + STYLE)));
});

test("what is not of the page's own build does not count", () => {
  const added = '<script src="chrome-extension://abc/inject.js"></script><link href="./favicon.svg">';
  expect(buildOf(page(SCRIPT + STYLE + added))).toBe(buildOf(page(SCRIPT + STYLE)));
  expect(buildOf('502 Bad Gateway')).toBe('');
});
