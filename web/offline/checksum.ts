/**
 * SHA-512 of a file against the one in its SigMF metadata, in bounded memory: the browser's own digest wants a file as a
 * whole. WebAssembly from hash-wasm does 370 MB/s on one core, four times what JavaScript does, and less than an
 * engine: so people can leave it out.
 */
import { FileProblem } from '../../bridge/protocol/pairs.ts';
import type { ByteSource } from '../../bridge/protocol/source.ts';

/** What a file has to be. */
export interface Checksum {
  readonly source: ByteSource;
  /** 128 hexadecimal digits, as in `core:sha512`. */
  readonly sha512: string;
}

/** Read at a time. */
const CHUNK_BYTES = 2 * 1024 * 1024;

/**
 * @param giveUp aborted: it ends without an answer
 * @throws {FileProblem} `checksum`, `unreadable`, `growing`, `changed`
 */
export async function verify({ source, sha512 }: Checksum, giveUp: AbortSignal): Promise<void> {
  const { createSHA512 } = await import('hash-wasm');
  const hash = (await createSHA512()).init();
  const chunk = new Uint8Array(CHUNK_BYTES);
  const open = await source.open();
  try {
    for (let at = 0; at < source.bytes; at += CHUNK_BYTES) {
      if (giveUp.aborted) return;
      const part = chunk.subarray(0, Math.min(CHUNK_BYTES, source.bytes - at));
      await open.read(part, at);
      hash.update(part);
    }
    await open.checkUnchanged();
  } finally {
    await open.close();
  }
  const found = hash.digest('hex');
  if (found === sha512.toLowerCase()) return;
  const reason = `its SHA-512 begins with ${found.slice(0, 16)}, but its metadata say ${sha512.slice(0, 16)}: it is damaged, or another file`;
  throw new FileProblem('checksum', source.path, reason);
}
