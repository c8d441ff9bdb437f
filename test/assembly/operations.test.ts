/**
 * What operators do to runs: new names, new averages and annotations, and that all of it is the same after a crash at any
 * moment.
 */
import { describe, expect, test } from 'vitest';
import { ANNOTATIONS_KEPT, ANNOTATIONS_PER_RUN } from '../../bridge/assembly/operations.ts';
import { decodeProgress, encodeProgress, type Progress } from '../../bridge/assembly/progress.ts';
import { Runs } from '../../bridge/assembly/runs.ts';
import type { InputRecord } from '../../bridge/log/port.ts';
import type { CommandOutcome, OperatorAction } from '../../bridge/protocol/operator.ts';
import { BINS, fullRecord, type Harness, harness, plainRecord } from './helpers.ts';

const WHOLE = { first: 0, slices: 4, of: 4 };
const UTC = '2026-11-24T01:02:03.000Z';

const whole = (file: number, offset = file, run = 'run1'): InputRecord =>
  fullRecord({ partition: 0, offset }, file, 0, WHOLE, run);

let lastId = 0;

function operate(
  h: Harness,
  action: OperatorAction,
  run = h.assembler.runs.current,
  id?: string,
): CommandOutcome {
  lastId += 1;
  const command = { id: id ?? `command-${lastId}`, run, author: '', action };
  return h.assembler.operate({ ...command, who: 'shift', utc: UTC });
}

const begin = (h: Harness, name: string): CommandOutcome => operate(h, { kind: 'new-run', name });
const annotate = (h: Harness, text: string): CommandOutcome =>
  operate(h, { kind: 'annotate', text, at: { kind: 'frequency', hz: 1e10 } });

/** Publishes all that is complete; the names under which that happens. */
function publish(h: Harness): string[] {
  return h.countAll().map((file) => {
    h.assembler.publish(file);
    return `${h.assembler.runs.titleOf({ run: file.run, file: file.number })}/${file.number}`;
  });
}

function started(progress: Progress | null = null): Harness {
  const h = harness({ progress, slicesPerFile: 4 });
  if (progress === null) h.assembler.beginAt(0, 0, 100);
  else h.assembler.begin([{ partition: 0, lowOffset: 0, endOffset: 100 }], progress);
  return h;
}

/** One that has published file 0 as `run1`. */
function withFile0(): Harness {
  const h = started();
  h.accept(whole(0));
  publish(h);
  return h;
}

/** A bridge that was killed and reads the progress that was committed last. */
const killed = (h: Harness): Harness => started(decodeProgress(encodeProgress(h.assembler.progress())));

const averages = (h: Harness): Record<string, number> =>
  Object.fromEntries(h.assembler.progress().runs.map(({ name, averaged }) => [name, averaged]));

describe('a new run', () => {
  test('has the files from the next one on; what was begun before stays with the old one', () => {
    const h = started();
    h.accept(whole(0));
    expect(publish(h)).toEqual(['run1/0']);
    h.accept(fullRecord({ partition: 0, offset: 1 }, 1, 0, { first: 0, slices: 2, of: 4 }));
    expect(begin(h, 'run2')).toMatchObject({
      outcome: 'done',
      message: expect.stringContaining('with file 2'),
    });
    expect(h.assembler.runs.current).toBe('run2');
    h.accept(fullRecord({ partition: 0, offset: 2 }, 1, 1, { first: 2, slices: 2, of: 4 }), whole(2, 3));
    expect(publish(h)).toEqual(['run1/1', 'run2/2']);
    expect(averages(h)).toEqual({ run1: 2, run2: 1 });
  });

  test('stays the current one while a file of the old one is still published', () => {
    const h = withFile0();
    h.accept(whole(1));
    begin(h, 'run2');
    expect(publish(h)).toEqual(['run1/1']);
    expect(h.assembler.runs.current).toBe('run2');
  });

  test('begins where it began when everything is read again', () => {
    const h = withFile0();
    begin(h, 'run2');
    const committed = encodeProgress(h.assembler.progress());
    h.accept(whole(1), whole(2));
    expect(publish(h)).toEqual(['run2/1', 'run2/2']);
    const again = started(decodeProgress(committed));
    again.accept(whole(0), whole(1), whole(2));
    expect(publish(again)).toEqual(['run2/1', 'run2/2']);
    expect(averages(again)).toEqual({ run1: 1, run2: 2 });
  });

  test('that was not committed before a crash has never been', () => {
    const h = withFile0();
    const again = killed(h);
    begin(h, 'run2');
    again.accept(whole(0), whole(1));
    expect(publish(again)).toEqual(['run1/1']);
  });

  test('knows duplicates as before: what was sent before it and comes again is dropped', () => {
    const h = withFile0();
    begin(h, 'run2');
    h.accept(whole(1));
    publish(h);
    h.accept(whole(0, 2), whole(1, 3));
    expect(publish(h)).toEqual([]);
    expect(h.replayed).toEqual(['run1/0', 'run2/1']);
  });

  test('goes on as NAME~2 when the sender begins anew, and so does the one after that', () => {
    const h = started();
    h.accept(plainRecord({ partition: 0, offset: 0 }, 5000, 0, 4));
    publish(h);
    begin(h, 'run2');
    h.accept(
      plainRecord({ partition: 0, offset: 1 }, 5001, 0, 4),
      plainRecord({ partition: 0, offset: 2 }, 0, 0, 4),
    );
    expect(publish(h)).toEqual(['run2/5001', 'run2~2/0']);
    expect(h.began).toEqual(['run2~2']);
    expect(h.assembler.runs.current).toBe('run2~2');
    begin(h, 'run3');
    h.accept(
      plainRecord({ partition: 0, offset: 3 }, 1, 0, 4),
      plainRecord({ partition: 0, offset: 4 }, 30_000, 0, 4),
    );
    expect(publish(h)).toEqual(['run3/1', 'run3~2/30000']);
  });

  test('ends when the sender says another run than before', () => {
    const h = withFile0();
    begin(h, 'run2');
    h.accept(whole(1, 1, 'other'));
    expect(publish(h)).toEqual(['other/1']);
    expect(h.assembler.runs.current).toBe('other');
  });

  test('shares its name with no other: a sender that says the same is published as NAME~2', () => {
    const h = withFile0();
    begin(h, 'run2');
    h.accept(whole(1), whole(1, 2, 'run2'), whole(2, 3, 'run2'));
    expect(publish(h)).toEqual(['run2/1', 'run2~2/1', 'run2~2/2']);
    const again = killed(h);
    again.accept(whole(2, 4), whole(3, 5, 'run2'));
    expect(publish(again)).toEqual(['run2/2', 'run2~2/3']);
  });

  test('is not undone by the name that the bridge is started with', () => {
    const h = started();
    h.accept(plainRecord({ partition: 0, offset: 0 }, 0, 0, 4));
    publish(h);
    begin(h, 'run2');
    const again = killed(h);
    again.accept(plainRecord({ partition: 0, offset: 1 }, 1, 0, 4));
    expect(publish(again)).toEqual(['run2/1']);
  });

  test('ends when a person starts the bridge with another name than before, and shares no name then either', () => {
    const h = started();
    h.accept(plainRecord({ partition: 0, offset: 0 }, 0, 0, 4));
    publish(h);
    begin(h, 'run2');
    const committed = encodeProgress(h.assembler.progress());
    for (const [name, expected] of [
      ['run9', 'run9/1'],
      ['run2', 'run2~2/1'],
    ] as const) {
      const progress = decodeProgress(committed);
      const again = harness({ progress, slicesPerFile: 4, run: name });
      again.assembler.begin([{ partition: 0, lowOffset: 0, endOffset: 100 }], progress);
      again.accept(plainRecord({ partition: 0, offset: 1 }, 1, 0, 4));
      expect(publish(again)).toEqual([expected]);
    }
  });

  test('goes on as NAME~2 in another log', () => {
    const h = withFile0();
    begin(h, 'run2');
    h.accept(whole(1));
    publish(h);
    const progress = decodeProgress(encodeProgress(h.assembler.progress()));
    const runs = new Runs(BINS, 'run1', progress);
    runs.continueAll();
    const renewed = { ...progress, ...runs.toProgress(), partitions: [], numbering: runs.numbering() };
    const again = harness({ progress: decodeProgress(encodeProgress(renewed)), slicesPerFile: 4 });
    again.assembler.beginAt(0, 0, 100);
    again.accept(whole(0), whole(1));
    expect(publish(again)).toEqual(['run2~2/0', 'run2~2/1']);
  });

  test('needs a name that no run has, and a run that has begun', () => {
    const h = started();
    expect(begin(h, 'run2')).toMatchObject({ code: 'no-data' });
    h.accept(whole(0));
    publish(h);
    for (const name of ['run1', 'run2']) begin(h, name);
    expect(begin(h, 'run1')).toMatchObject({ code: 'run-exists' });
    expect(begin(h, 'run2')).toMatchObject({ code: 'run-exists' });
    expect(begin(h, 'run3')).toMatchObject({ outcome: 'done' });
    h.accept(whole(1));
    expect(publish(h)).toEqual(['run3/1']);
  });

  test('lists what is missing under its own name', () => {
    const h = withFile0();
    begin(h, 'run2');
    h.accept(fullRecord({ partition: 0, offset: 1 }, 1, 0, { first: 0, slices: 2, of: 4 }));
    h.assembler.tick(5_000, () => true);
    expect(h.incomplete).toEqual(['run2/1: 2-3']);
    h.accept(fullRecord({ partition: 0, offset: 2 }, 1, 1, { first: 2, slices: 2, of: 4 }));
    publish(h);
    expect(h.assembler.incompleteFiles()).toEqual([]);
  });
});

describe('a reset', () => {
  test('begins the average anew and forgets no file', () => {
    const h = started();
    h.accept(whole(0), whole(1));
    publish(h);
    expect(operate(h, { kind: 'reset' })).toMatchObject({ message: expect.stringContaining('held 2 files') });
    expect(h.assembler.progress().runs[0]).toMatchObject({ averaged: 0, slices: 0, sums: null });
    const again = killed(h);
    again.accept(whole(1), whole(2), whole(0, 3));
    expect(publish(again)).toEqual(['run1/2']);
    expect(again.replayed).toEqual(['run1/0']);
    const [run] = again.assembler.progress().runs;
    expect(run).toMatchObject({
      averaged: 1,
      slices: 4,
      resetUtcMs: Date.parse(UTC),
      firstUtcMs: 1.7e12 + 2000,
    });
    expect(run?.sums?.count).toBe(4);
  });

  test('of an average without a file is refused', () => {
    const h = started();
    expect(operate(h, { kind: 'reset' })).toMatchObject({ code: 'nothing-to-reset' });
    h.accept(whole(0));
    publish(h);
    operate(h, { kind: 'reset' });
    expect(operate(h, { kind: 'reset' })).toMatchObject({ code: 'nothing-to-reset' });
  });
});

describe('annotations', () => {
  const texts = (h: Harness, run: string): string[] =>
    h.assembler.operations.annotationsOf(run).map(({ text }) => text);

  test('belong to their run, and are there after a crash', () => {
    const h = withFile0();
    annotate(h, 'tuner moved');
    begin(h, 'run2');
    annotate(h, 'helium');
    const again = killed(h);
    expect([texts(again, 'run1'), texts(again, 'run2')]).toEqual([['tuner moved'], ['helium']]);
    const [annotation] = again.assembler.operations.annotationsOf('run2');
    const remove = { kind: 'remove', annotation: annotation?.id ?? '' } as const;
    expect(operate(again, remove)).toMatchObject({ message: expect.stringContaining('«helium»') });
    expect(operate(again, remove)).toMatchObject({ code: 'unknown-annotation' });
    expect(texts(killed(again), 'run2')).toEqual([]);
  });

  test('are bounded: a run has a limit, and those of the oldest run go first', () => {
    const h = withFile0();
    for (const name of ['run2', 'run3', 'run4']) {
      for (let k = 0; k < ANNOTATIONS_PER_RUN; k++) annotate(h, `note ${k}`);
      expect(annotate(h, 'one more')).toMatchObject({ code: 'too-many' });
      begin(h, name);
    }
    expect(h.assembler.progress().operations.annotations).toHaveLength(ANNOTATIONS_KEPT);
    expect([texts(h, 'run1').length, texts(h, 'run3').length]).toEqual([0, ANNOTATIONS_PER_RUN]);
  });
});

describe('a command', () => {
  test('that is repeated is answered again and done once, after a crash too', () => {
    const h = withFile0();
    const first = operate(h, { kind: 'new-run', name: 'run2' }, 'run1', 'the-same-id');
    const again = killed(h);
    expect(operate(again, { kind: 'new-run', name: 'run2' }, 'run1', 'the-same-id')).toEqual(first);
    expect(again.assembler.progress().operations.log).toEqual([
      { id: 'the-same-id', utc: UTC, who: 'shift', what: 'began run run2 with file 1, after run1' },
    ]);
  });

  test('that was meant for another run is refused', () => {
    const h = withFile0();
    begin(h, 'run2');
    expect(operate(h, { kind: 'reset' }, 'run1')).toMatchObject({ code: 'other-run' });
  });

  test('that is refused leaves no trace', () => {
    const h = withFile0();
    const before = encodeProgress(h.assembler.progress());
    begin(h, 'run1');
    expect(encodeProgress(h.assembler.progress())).toEqual(before);
  });
});
