/**
 * The token that makes a client a processor: given, or made once and kept in the data folder for its owner only.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Secret } from '../config/secret.ts';

const TOKEN_FILE = 'token';
/** 192 random bits, 32 letters of base64url: beyond guessing, short enough to paste. */
const TOKEN_BYTES = 24;
const OWNER_ONLY = 0o600;

/**
 * @param given the token from a file or the environment; null: the bridge's own
 * @throws the error of the file system where the folder cannot be read or written
 */
export function loadToken(dataFolder: string, given: Secret | null): Secret {
  if (given !== null) return given;
  const path = join(dataFolder, TOKEN_FILE);
  return readToken(path) ?? makeToken(dataFolder, path);
}

function readToken(path: string): Secret | null {
  try {
    const text = readFileSync(path, 'utf8').trim();
    if (text === '') return null;
    chmodSync(path, OWNER_ONLY);
    return new Secret(text);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function makeToken(folder: string, path: string): Secret {
  const token = new Secret(randomBytes(TOKEN_BYTES).toString('base64url'));
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, `${token.reveal()}\n`, { mode: OWNER_ONLY });
  chmodSync(path, OWNER_ONLY);
  return token;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares in a time that tells nothing: digests have equal length whatever was offered. */
export const isToken = (token: Secret, offered: string): boolean =>
  timingSafeEqual(digest(token.reveal()), digest(offered));
