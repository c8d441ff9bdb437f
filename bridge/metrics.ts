/**
 * The bridge's metrics in Prometheus' form. Names and labels are public: dashboards hold on to them.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** From a local result in milliseconds to a file that waited for a whole minute. */
const LATENCY_BUCKETS_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 1, 2, 5, 10, 30, 60];

/** One connected client, as it is counted. */
export interface CountedClient {
  readonly role: string;
  /** Kind of engine; `none` for a viewer. */
  readonly engine: string;
}

export class BridgeMetrics {
  readonly registry = new Registry();
  readonly #filesPublished: Counter;
  readonly #filesIncomplete: Counter;
  readonly #slicesReceived: Counter;
  readonly #slicesRejected: Counter<'reason'>;
  readonly #inputLagFiles: Gauge;
  readonly #lastSliceToResult: Histogram;
  readonly #publish: Histogram;
  readonly #retentionHoursLeft: Gauge<'partition'>;
  readonly #clients: Gauge<'role' | 'engine'>;

  constructor() {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#filesPublished = new Counter({
      registers,
      name: 'haloscope_files_published_total',
      help: 'Files whose result has been published',
    });
    this.#filesIncomplete = new Counter({
      registers,
      name: 'haloscope_files_incomplete_total',
      help: 'Files given up because slices are missing',
    });
    this.#slicesReceived = new Counter({
      registers,
      name: 'haloscope_slices_received_total',
      help: 'Slices taken from the input, duplicates included',
    });
    this.#slicesRejected = new Counter({
      registers,
      name: 'haloscope_slices_rejected_total',
      help: 'Slices or messages that could not be used, by reason',
      labelNames: ['reason'],
    });
    this.#inputLagFiles = new Gauge({
      registers,
      name: 'haloscope_input_lag_files',
      help: 'Complete files in the input that are not published; NaN while unknown',
    });
    this.#lastSliceToResult = new Histogram({
      registers,
      name: 'haloscope_last_slice_to_result_seconds',
      help: 'From the last slice of a file received to its result published',
      buckets: LATENCY_BUCKETS_SECONDS,
    });
    this.#publish = new Histogram({
      registers,
      name: 'haloscope_publish_seconds',
      help: 'Duration of publishing results and progress in one atom',
      buckets: LATENCY_BUCKETS_SECONDS,
    });
    this.#retentionHoursLeft = new Gauge({
      registers,
      name: 'haloscope_retention_hours_left',
      help: 'Hours until data of the input that are not processed may be deleted, at the present rate',
      labelNames: ['partition'],
    });
    this.#clients = new Gauge({
      registers,
      name: 'haloscope_clients',
      help: 'Connected clients by role and kind of engine',
      labelNames: ['role', 'engine'],
    });
    this.setLag(null);
  }

  /** One file has its result. */
  filePublished(lastSliceToResultSeconds: number): void {
    this.#filesPublished.inc();
    this.#lastSliceToResult.observe(lastSliceToResultSeconds);
  }

  /** One transaction of results and progress has been committed. */
  published(seconds: number): void {
    this.#publish.observe(seconds);
  }

  fileIncomplete(): void {
    this.#filesIncomplete.inc();
  }

  slicesReceived(slices: number): void {
    this.#slicesReceived.inc(slices);
  }

  /** `reason` is a code of a closed list, never text from a message. */
  slicesRejected(reason: string, slices = 1): void {
    this.#slicesRejected.inc({ reason }, slices);
  }

  /** Null: not known. */
  setLag(files: number | null): void {
    this.#inputLagFiles.set(files ?? Number.NaN);
  }

  /** Empty: not known. */
  setRetention(partitions: readonly { readonly partition: number; readonly hoursLeft: number }[]): void {
    this.#retentionHoursLeft.reset();
    for (const { partition, hoursLeft } of partitions) this.#retentionHoursLeft.set({ partition }, hoursLeft);
  }

  setClients(clients: readonly CountedClient[]): void {
    this.#clients.reset();
    for (const { role, engine } of clients) this.#clients.inc({ role, engine });
  }
}
