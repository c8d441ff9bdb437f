/** Hands a file to the browser's downloads. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download has taken its own hold of the blob by the next turn of the event loop in every browser; be generous.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
