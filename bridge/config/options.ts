/**
 * The options of every command, as its implementation receives them: checked, complete, in base units.
 *
 * How they are spelled on the command line, in the environment and in `haloscope.config.json` is said in
 * `declarations.ts`; nothing here is optional, so nothing has to be guessed later.
 */

import type { StartFrom } from '../log/port.ts';
import type { Geometry } from '../protocol/geometry.ts';
import type { WindowName } from '../protocol/window.ts';
import type { SignalParameters } from '../simulator/signal.ts';
import type { Secret } from './secret.ts';

/** Where a server listens. `port` 0 lets the system choose. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** How to reach a Kafka cluster. File contents are already read; PEM as text. */
export interface KafkaConnection {
  /** `host:port` each, at least one. */
  readonly brokers: readonly string[];
  /** null: plain text. */
  readonly ssl: {
    readonly ca: string | null;
    readonly cert: string | null;
    readonly key: Secret | null;
  } | null;
  /** null: no authentication. */
  readonly sasl: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: Secret;
  } | null;
}

/** What the bridge reads. */
export type ServeInput =
  | {
      readonly kind: 'kafka';
      readonly connection: KafkaConnection;
      readonly topicIn: string;
      readonly topicOut: string;
      /** Consumer group. */
      readonly group: string;
      /** Whether missing topics are created (not under `--no-create`). */
      readonly create: boolean;
      /** Whether bridges of the group share the partitions; otherwise one reads and the others stand by. */
      readonly scaleOut: boolean;
    }
  | {
      readonly kind: 'folder';
      readonly folder: string;
      /** A short file that has not changed for so long is finished. */
      readonly settleMs: number;
    }
  | { readonly kind: 'simulator'; readonly signal: SignalParameters };

/** Who computes when no browser does. */
export type ProcessorPolicy = 'auto' | 'none' | 'always';

export interface ServeOptions {
  readonly input: ServeInput;
  readonly listen: ListenAddress;
  /** Further origins by which clients reach the bridge, e.g. `https://daq.example.org`. */
  readonly publicOrigins: readonly string[];
  /** null: the bridge makes one and keeps it in `dataFolder`. */
  readonly token: Secret | null;
  /** Run of records that do not say theirs; null: the default name. */
  readonly run: string | null;
  readonly from: StartFrom;
  /** Absolute path of the folder for the embedded store, the token and the certificates. */
  readonly dataFolder: string;
  /** Geometry of records without headers, and the slice length that is accepted. */
  readonly geometry: Geometry;
  readonly processor: ProcessorPolicy;
  /** Slices in a file from senders without headers. */
  readonly slicesPerFile: number;
  /** Files of the certificate to serve with, absolute; null: none is given. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  /** Plain HTTP beyond loopback is wanted. */
  readonly insecureHttp: boolean;
}

export interface ProcessOptions {
  /** Address of the bridge, as given: `http:`, `https:`, `ws:` or `wss:`; no fragment. */
  readonly url: URL;
  readonly token: Secret | null;
  /** Certificates by which the bridge is trusted, PEM; null: those that Node comes with. */
  readonly ca: string | null;
  /** Host that the bridge's certificate has to name; null: that of the URL. */
  readonly tlsName: string | null;
}

/** `real`: as fast as the DAQ records; `max`: as fast as it goes; else milliseconds per file pair. */
export type Pace = 'real' | 'max' | { readonly periodMs: number };

export interface ProduceOptions {
  /** Folder with file pairs, absolute; or `s3://bucket/prefix`. */
  readonly folder: string;
  /** Server of `s3://…`; null: Amazon's. */
  readonly endpoint: string | null;
  readonly connection: KafkaConnection;
  readonly topic: string;
  readonly slicesPerMessage: number;
  readonly pace: Pace;
  readonly follow: boolean;
  /** First and last file number, both included; null: all. */
  readonly files: { readonly first: number; readonly last: number } | null;
  readonly run: string;
  /** Start of the first file in Unix milliseconds; null: from the modification times. */
  readonly utcMs: number | null;
  /** A short file that has not changed for so long is finished. */
  readonly settleMs: number;
  readonly geometry: Geometry;
}

export interface SimulateOptions {
  readonly folder: string;
  readonly files: number;
  readonly first: number;
  readonly samplesPerFile: number;
  /** Replace pairs that are there already. */
  readonly force: boolean;
  readonly signal: SignalParameters;
}

export type TopicsAction = 'create' | 'list' | 'describe' | 'delete';

export interface TopicsOptions {
  readonly action: TopicsAction;
  readonly connection: KafkaConnection;
  readonly topicIn: string;
  readonly topicOut: string;
  readonly partitions: number;
  readonly replication: number;
  /** Bytes that `chunk_data` keeps per partition before the oldest are deleted. */
  readonly retentionBytes: number;
  /** How long `results` are kept, milliseconds; null: for ever. */
  readonly resultsRetentionMs: number | null;
  /** `delete` was confirmed. */
  readonly yes: boolean;
}

/** Forms of a spectrum that is written; also the suffixes of the files. */
export type ExportFormat = 'csv' | 'ecsv' | 'npz' | 'json';

export interface AnalyzeOptions {
  /** Files, folders, `s3://bucket/prefix`, as given; at least one. */
  readonly paths: readonly string[];
  /** At least one; exactly one without `outFolder`. */
  readonly formats: readonly ExportFormat[];
  /** Absolute; null: standard output. */
  readonly outFolder: string | null;
  readonly perFile: boolean;
  /** Server of `s3://…`; null: Amazon's. */
  readonly endpoint: string | null;
  /** Metadata are written beside the pairs. */
  readonly sigmf: boolean;
  /** Files are compared with the checksums in their metadata. */
  readonly verify: boolean;
  /** null: after the folder. */
  readonly run: string | null;
  readonly window: WindowName;
  /** A short file that has not changed for so long is finished. */
  readonly settleMs: number;
  /** Slice length, and what recordings are taken to be that say nothing of themselves. */
  readonly geometry: Geometry;
  /** What a person said of all recordings, whatever they say of themselves; null: nothing. */
  readonly said: { readonly sampleRateHz: number | null; readonly loHz: number | null };
}

export interface KioskOptions {
  /** Address of the page, as given. */
  readonly url: URL;
  /** Folder of the browser's profile, as given. */
  readonly profile: string;
  /** The browser with all its processes is started again when it holds more. */
  readonly mostBytes: number;
  readonly flags: readonly string[];
  /** Chrome as root. */
  readonly noSandbox: boolean;
}

export interface DoctorOptions {
  /** null: no broker is asked. */
  readonly connection: KafkaConnection | null;
  readonly topicIn: string;
  readonly topicOut: string;
  readonly bins: number;
  readonly json: boolean;
  /** Start the system's browser to see whether it has a WebGPU adapter. */
  readonly browser: boolean;
  /** Measure software adapters, too. */
  readonly software: boolean;
}
