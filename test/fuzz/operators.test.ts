/** Operators among records: whatever they call runs, and whenever the bridge is killed, no result comes out twice. */
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { decodeProgress, encodeProgress, type Progress } from '../../bridge/assembly/progress.ts';
import type { InputRecord } from '../../bridge/log/port.ts';
import type { OperatorAction } from '../../bridge/protocol/operator.ts';
import { fullRecord, type Harness, harness, plainRecord } from '../assembly/helpers.ts';
import { fuzz } from './fuzz.ts';

const PARTITIONS = 2;
const SLICES = 3;

type Step =
  | {
      readonly kind: 'file';
      readonly partition: number;
      readonly file: number;
      /** Files of different lengths have different contents. */
      readonly slices: number;
      /** Null: no headers. */
      readonly run: string | null;
    }
  | { readonly kind: 'operate'; readonly action: OperatorAction; readonly id: number }
  | { readonly kind: 'publish' }
  | { readonly kind: 'kill' };

const action: fc.Arbitrary<OperatorAction> = fc.oneof(
  fc.record({ kind: fc.constant('new-run' as const), name: fc.constantFrom('run2', 'run3') }),
  fc.constant({ kind: 'reset' as const }),
  fc.constant({ kind: 'annotate' as const, at: { kind: 'moment' as const, utcMs: 1 }, text: 'x' }),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('file' as const),
      partition: fc.nat(PARTITIONS - 1),
      // A number far off ends what operators can begin: files have to be above it.
      file: fc.oneof({ weight: 15, arbitrary: fc.nat(12) }, { weight: 1, arbitrary: fc.constant(30_000) }),
      slices: fc.constantFrom(SLICES, SLICES, SLICES - 1),
      run: fc.constantFrom(null, 'run1', 'run1', 'run2', 'run3'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('operate' as const), action, id: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'publish' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'kill' as const }) },
);

function expectSame(found: unknown, wanted: unknown): void {
  expect(found).toEqual(wanted);
}

/** A log, an output, and the bridge between them as it lives now. */
class Chain {
  readonly #log: InputRecord[][] = Array.from({ length: PARTITIONS }, () => []);
  #committed: Buffer | null = null;
  #bridge: Harness;
  /** Sender's run and file of every result, by the name under which it came out. */
  readonly results = new Map<string, { readonly run: string; readonly file: number }>();

  constructor() {
    this.#bridge = this.#begin();
  }

  send({ partition, file, slices, run }: Extract<Step, { kind: 'file' }>): void {
    const records = this.#log[partition] ?? [];
    const at = { partition, offset: records.length };
    const record =
      run === null
        ? plainRecord(at, file, 0, SLICES, slices)
        : fullRecord(at, file, 0, { first: 0, slices, of: slices }, run);
    records.push(record);
    this.#bridge.accept(record);
  }

  publish(): void {
    const { assembler } = this.#bridge;
    for (const file of this.#bridge.countAll()) {
      const place = { run: file.run, file: file.number };
      const title = assembler.runs.titleOf(place);
      assembler.publish(file);
      this.#committed = encodeProgress(assembler.progress());
      const name = `${title}/${file.number}`;
      expectSame(this.results.get(name), undefined);
      this.results.set(name, place);
    }
  }

  operate(wanted: OperatorAction, id: string): void {
    const { assembler } = this.#bridge;
    const before = encodeProgress(assembler.progress());
    const run = assembler.runs.current;
    const command = { id, run, author: '', action: wanted, who: 'x', utc: '2026-11-24T00:00:00.000Z' };
    const outcome = assembler.operate(command);
    const after = encodeProgress(assembler.progress());
    if (outcome.outcome === 'done') this.#committed = after;
    else expectSame(after, before);
    if (outcome.outcome === 'done') expectSame(assembler.operate(command), outcome);
  }

  /** The next bridge reads the progress, and from there on the log. */
  kill(): void {
    this.#bridge = this.#begin();
    for (const [name, place] of this.results) {
      const title = this.#bridge.assembler.runs.titleOf(place);
      expectSame(`${title}/${place.file}`, name);
    }
  }

  #begin(): Harness {
    const progress: Progress | null = this.#committed && decodeProgress(this.#committed);
    const bridge = harness({ progress, slicesPerFile: SLICES });
    const ends = this.#log.map(({ length }, partition) => ({ partition, lowOffset: 0, endOffset: length }));
    const starts = bridge.assembler.begin(ends, progress);
    for (const { partition, endOffset } of ends) {
      if (!starts.has(partition)) bridge.assembler.beginAt(partition, 0, endOffset);
      const records = this.#log[partition] ?? [];
      bridge.accept(...records.slice(starts.get(partition) ?? 0));
    }
    return bridge;
  }
}

fuzz('operators among records', fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
  const chain = new Chain();
  for (const each of steps) {
    if (each.kind === 'file') chain.send(each);
    else if (each.kind === 'publish') chain.publish();
    else if (each.kind === 'operate') chain.operate(each.action, `command-${each.id}`);
    else chain.kill();
  }
  chain.kill();
  chain.publish();
});
