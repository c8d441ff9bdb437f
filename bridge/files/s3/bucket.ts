/**
 * The door to S3 and to whatever speaks its protocol (MinIO, Ceph, …). Nobody else imports the SDK.
 *
 * Credentials, profile and region are found as the AWS tools find them: environment, shared files, SSO, container,
 * instance. The SDK repeats requests that fail; a stream that breaks is continued by `s3-source.ts`.
 */

import type { Readable } from 'node:stream';
import {
  GetObjectCommand,
  paginateListObjectsV2,
  S3Client,
  type S3ClientConfig,
  S3ServiceException,
} from '@aws-sdk/client-s3';

/**
 * Closed list of why a bucket cannot be used.
 * - `s3-credentials`: none were found, or they have expired
 * - `s3-denied`: the server does not let these credentials do it
 * - `s3-missing`: there is no such bucket or object
 * - `s3-changed`: the object is another one now
 * - `s3-unreachable`: no answer, or none that makes sense
 */
export type S3ErrorCode = 's3-credentials' | 's3-denied' | 's3-missing' | 's3-changed' | 's3-unreachable';

export class S3Error extends Error {
  readonly code: S3ErrorCode;
  constructor(code: S3ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'S3Error';
    this.code = code;
  }
}

export interface BucketOptions {
  /** Server that is not Amazon's; null: Amazon's, or what AWS_ENDPOINT_URL says. */
  readonly endpoint: string | null;
  /** Ends every request. */
  readonly signal: AbortSignal;
}

export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly etag: string;
}

/** Where a region has to be said and nobody says one; servers that are not Amazon's do not care. */
const FALLBACK_REGION = 'us-east-1';
const CONNECT_MS = 10_000;
/** A connection over which nothing comes for so long is given up, and tried again. */
const SILENCE_MS = 30_000;
const ATTEMPTS = 4;

export class Bucket {
  readonly name: string;
  readonly #client: S3Client;
  readonly #signal: AbortSignal;

  private constructor(name: string, client: S3Client, signal: AbortSignal) {
    this.name = name;
    this.#client = client;
    this.#signal = signal;
  }

  static async open(name: string, { endpoint, signal }: BucketOptions): Promise<Bucket> {
    // Users of Node 20 can do nothing about what later versions of the SDK will want: this one is the one in use.
    process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
    const config: S3ClientConfig = {
      maxAttempts: ATTEMPTS,
      followRegionRedirects: true,
      // Checksums of whole objects say nothing about the part that a stream is continued with.
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENCE_MS },
      // Own servers have no name for each bucket.
      ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    };
    const client = new S3Client(config);
    const hasRegion = await client.config.region().then(
      () => true,
      () => false,
    );
    if (hasRegion) return new Bucket(name, client, signal);
    client.destroy();
    const region = process.env['AWS_DEFAULT_REGION'] ?? FALLBACK_REGION;
    return new Bucket(name, new S3Client({ ...config, region }), signal);
  }

  /**
   * All objects whose key begins so, in the order of their keys.
   * @throws {S3Error} an AbortError when it was told to end
   */
  async *list(prefix: string): AsyncGenerator<ListedObject, void, void> {
    const input = { Bucket: this.name, Prefix: prefix };
    try {
      for await (const page of paginateListObjectsV2({ client: this.#client }, input, {
        abortSignal: this.#signal,
      })) {
        for (const { Key, Size, LastModified, ETag } of page.Contents ?? []) {
          if (Key === undefined || ETag === undefined) continue;
          yield { key: Key, bytes: Size ?? 0, modifiedMs: LastModified?.getTime() ?? 0, etag: ETag };
        }
      }
    } catch (error) {
      throw explained(error, `s3://${this.name}/${prefix}`);
    }
  }

  /**
   * The object from a byte on, as long as it is the one that was listed.
   * @throws {S3Error} an AbortError when it was told to end
   */
  async read({ key, etag }: ListedObject, position: number): Promise<Readable> {
    const range = position === 0 ? {} : { Range: `bytes=${position}-` };
    const command = new GetObjectCommand({ Bucket: this.name, Key: key, IfMatch: etag, ...range });
    try {
      const { Body } = await this.#client.send(command, { abortSignal: this.#signal });
      if (Body === undefined)
        throw new S3Error('s3-unreachable', `s3://${this.name}/${key}: an answer without a body`);
      return Body as Readable;
    } catch (error) {
      throw explained(error, `s3://${this.name}/${key}`);
    }
  }

  close(): void {
    this.#client.destroy();
  }
}

const HTTP_CODES: Readonly<Record<number, S3ErrorCode>> = {
  401: 's3-denied',
  403: 's3-denied',
  404: 's3-missing',
  412: 's3-changed',
};
const ADVICE: Readonly<Record<S3ErrorCode, string>> = {
  's3-credentials': 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or log in',
  's3-denied': 'the credentials were refused; ask who owns the bucket',
  's3-missing': 'there is no such bucket or object; look at its name and at --endpoint',
  's3-changed': 'the object is another one than was listed',
  's3-unreachable': 'the server does not answer; look at --endpoint and the network',
};

/** An error of the SDK as one of ours; aborts and our own stay what they are. */
function explained(error: unknown, where: string): unknown {
  if (!(error instanceof Error) || error instanceof S3Error || error.name === 'AbortError') return error;
  const code = codeOf(error);
  return new S3Error(code, `${where}: ${ADVICE[code]} (${error.name}: ${error.message})`, { cause: error });
}

function codeOf(error: Error): S3ErrorCode {
  if (/Credentials|Token(Provider)?Error|ExpiredToken/.test(error.name)) return 's3-credentials';
  if (!(error instanceof S3ServiceException)) return 's3-unreachable';
  return HTTP_CODES[error.$metadata.httpStatusCode ?? 0] ?? 's3-unreachable';
}
