/** A real S3 server on loopback, moto's, in a process of its own; and objects in it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { freePort, until } from './e2e/haloscope.ts';
import { venvPython } from './venv.ts';

const VENV = {
  name: 's3-venv',
  packages: ['moto[s3]', 'flask', 'flask-cors'],
  modules: ['moto.server', 'flask_cors'],
};
const READY_TIMEOUT_MS = 60_000;

export class S3Server {
  readonly endpoint: string;
  readonly port: number;
  readonly #client: S3Client;
  readonly #stop: () => Promise<void>;

  private constructor(port: number, stop: () => Promise<void>) {
    this.port = port;
    this.endpoint = `http://127.0.0.1:${port}`;
    this.#stop = stop;
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const place = { endpoint: this.endpoint, region: 'us-east-1', forcePathStyle: true };
    this.#client = new S3Client({ ...place, credentials });
  }

  /** @throws where there is no Python to run it */
  static async start(): Promise<S3Server> {
    const python = await venvPython(VENV);
    if (python === undefined)
      throw new Error('no python3 in PATH, which the S3 server needs: install Python');
    const port = await freePort();
    const words = ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)];
    const child = spawn(python, words, { stdio: 'ignore' });
    const gone = once(child, 'close');
    const server = new S3Server(port, async () => {
      child.kill('SIGKILL');
      await gone;
    });
    const isUp = async (): Promise<true | undefined> => {
      if (child.exitCode !== null) throw new Error(`moto ended with ${child.exitCode}`);
      return fetch(server.endpoint).then(
        () => true as const,
        () => undefined,
      );
    };
    await until('the S3 server answers', isUp, READY_TIMEOUT_MS);
    return server;
  }

  async createBucket(name: string): Promise<void> {
    await this.#client.send(new CreateBucketCommand({ Bucket: name }));
  }

  async put(bucket: string, key: string, content: Uint8Array | string): Promise<void> {
    await this.#client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: content }));
  }

  /** All files of a folder, under a prefix. */
  async putFolder(bucket: string, prefix: string, folder: string): Promise<void> {
    for (const name of await readdir(folder))
      await this.put(bucket, `${prefix}/${name}`, await readFile(join(folder, name)));
  }

  async stop(): Promise<void> {
    this.#client.destroy();
    await this.#stop();
  }
}
