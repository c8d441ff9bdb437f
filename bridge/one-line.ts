/**
 * Text of others in messages of ours: it stays in its line, and no terminal obeys it.
 * @returns the text with control characters and line separators as `\u001b`
 */
export const oneLine = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}]/gu,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
