/** Addresses of objects, apart from the SDK, which is loaded only where one is given. */

/** `s3://bucket/prefix` in its parts. */
export interface S3Url {
  readonly bucket: string;
  /** Without a slash at either end; empty: the whole bucket. */
  readonly prefix: string;
}

export const isS3Url = (text: string): boolean => /^s3:\/\//i.test(text);

/** @returns null unless it names a bucket */
export function parseS3Url(text: string): S3Url | null {
  const match = /^s3:\/\/([^/]+)(?:\/(.*))?$/i.exec(text);
  if (match === null) return null;
  return { bucket: match[1] as string, prefix: (match[2] ?? '').replaceAll(/^\/+|\/+$/g, '') };
}
