/** The page's side of dropping files: searched, looked at, chosen from, started. */
import { expect, test, vi } from 'vitest';
import type { Root } from '../../../web/offline/browser/gather.ts';
import type {
  Found,
  KeptSummary,
  OfflineSettings,
  Survey,
  SurveyHead,
  SurveyPart,
  SurveyRow,
} from '../../../web/offline/browser/types.ts';
import { Intake, type IntakeWorker } from '../../../web/ui/offline/intake.ts';
import { frequencyOf, LENGTHS, settingsOf } from '../../../web/ui/offline/settings.ts';
import { arranged, linesOf, problemCounts } from '../../../web/ui/offline/lines.ts';
import { sizeText } from '../../../web/ui/offline/size-text.ts';

const row = (path: string, bytes: number, status: SurveyRow['status'] = 'new'): SurveyRow => ({
  kind: 'pair',
  path,
  file: 1,
  sharesNumber: false,
  bytes,
  slices: 3,
  remainderSamples: 0,
  startMs: bytes,
  status,
});

const surveyOf = (rows: readonly SurveyRow[]): Survey => ({
  run: 'run404',
  geometry: { bins: 3072, sampleRateHz: 2e6, loHz: 1e10 },
  window: 'none',
  isFixed: false,
  rows,
  problems: [
    { code: 'orphan', path: 'd/b', reason: 'x' },
    { code: 'unequal', path: 'd/a', reason: 'x' },
    { code: 'mid-sample', path: 'd/e', reason: 'x' },
  ],
  ignored: 0,
  bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0),
});

/** A worker that says what it was told. */
class FakeWorker implements IntakeWorker {
  readonly added: Found[] = [];
  readonly started: (readonly string[] | null)[] = [];
  readonly surveyed: OfflineSettings[] = [];
  keptSession: KeptSummary | null = null;
  resumed = 0;
  rows: SurveyRow[] = [row('a/1', 30), row('a/2', 10), row('a/3', 20, 'done')];

  async add(found: Found): Promise<void> {
    this.added.push(found);
  }
  async survey(settings: OfflineSettings): Promise<SurveyHead> {
    this.surveyed.push(settings);
    const { rows, problems, ...head } = surveyOf(this.rows);
    return { ...head, rowCount: rows.length, problemCount: problems.length };
  }
  async surveyPart(from: number): Promise<SurveyPart> {
    const { rows, problems } = surveyOf(this.rows);
    return { rows: rows.slice(from, from + 2), problems: problems.slice(from, from + 2) };
  }
  async pace(): Promise<{ engine: string; bytesPerSecond: number }> {
    return { engine: 'test', bytesPerSecond: 1e6 };
  }
  async kept(): Promise<KeptSummary | null> {
    return this.keptSession;
  }
  async resume(): Promise<void> {
    this.resumed += 1;
  }
  async forget(): Promise<void> {
    this.keptSession = null;
  }
  async start(paths: readonly string[] | null): Promise<void> {
    this.started.push(paths);
  }
}

const fileRoot = (name: string): Root =>
  ({ kind: 'file', name, getFile: async () => new File(['x'], name) }) as unknown as Root;

const brokenRoot = (name: string): Root =>
  ({ kind: 'file', name, getFile: () => Promise.reject(new Error('Gone')) }) as unknown as Root;

test('what is dropped is searched, given to the worker and looked at; what cannot be read is told', async () => {
  const worker = new FakeWorker();
  const intake = new Intake(worker, 'auto');
  expect(intake.phase.value).toBe('idle');
  const taken = intake.take([fileRoot('x'), brokenRoot('y')]);
  expect(intake.phase.value).toBe('searching');
  await taken;
  expect(intake.phase.value).toBe('ready');
  expect(intake.filesFound.value).toBe(1);
  expect(worker.added.flatMap(({ entries }) => entries.map(({ path }) => path))).toEqual(['x']);
  expect(worker.added.flatMap(({ problems }) => problems)).toMatchObject([{ code: 'unreadable', path: 'y' }]);
  expect(intake.pace.value).toEqual({ engine: 'test', bytesPerSecond: 1e6 });
});

test('Start measures what is new and not left out', async () => {
  const worker = new FakeWorker();
  const intake = new Intake(worker, 'cpu');
  await intake.take([fileRoot('x')]);
  expect(intake.chosen.value.bytes).toBe(40);
  expect(intake.lines.value).toHaveLength(6);
  await intake.start();
  intake.choose(['a/1'], false);
  expect(intake.chosen.value.bytes).toBe(10);
  await intake.start();
  intake.choose(['a/2'], false);
  await intake.start();
  expect(worker.started).toEqual([null, ['a/2']]);
  expect(intake.isOpen.value).toBe(false);
  expect(worker.surveyed.every(({ engine }) => engine === 'cpu')).toBe(true);
});

test('a worker that refuses leaves a reason, and the intake goes on', async () => {
  const worker = new FakeWorker();
  const intake = new Intake(worker, 'auto');
  worker.survey = () => Promise.reject(new Error('no room'));
  await intake.take([fileRoot('x')]);
  expect(intake.trouble.value).toBe('no room');
  expect(intake.phase.value).toBe('idle');
  Reflect.deleteProperty(worker, 'survey');
  await intake.take([fileRoot('x')]);
  expect([intake.trouble.value, intake.phase.value]).toEqual(['', 'ready']);
});

test('a search that is stopped shows what it has found', async () => {
  const worker = new FakeWorker();
  const intake = new Intake(worker, 'auto');
  const many = Array.from({ length: 2000 }, (_, k) => fileRoot(`f${k}`));
  worker.add = async (found) => {
    worker.added.push(found);
    intake.stopSearch();
  };
  await intake.take(many);
  expect(intake.phase.value).toBe('ready');
  expect(intake.filesFound.value).toBeGreaterThan(0);
  expect(intake.filesFound.value).toBeLessThan(many.length);
  expect(intake.trouble.value).toBe('');
});

const keptOf = (request: Pick<KeptSummary, 'roots' | 'paths'>): KeptSummary => ({
  settings: { ...settingsOf(null), bins: 4096 },
  run: 'run404',
  files: 1,
  slices: 3,
  savedMs: 0,
  ...request,
});

async function intakeWithKept(kept: KeptSummary): Promise<{ worker: FakeWorker; intake: Intake }> {
  const worker = new FakeWorker();
  worker.keptSession = kept;
  const intake = new Intake(worker, 'auto');
  await vi.waitFor(() => expect(intake.kept.value).toBe(kept));
  return { worker, intake };
}

test('a kept session with handles goes on by itself, with its settings and what was asked for', async () => {
  const root = Object.assign(fileRoot('x'), { queryPermission: async () => 'granted' });
  const roots = [root] as unknown as NonNullable<KeptSummary['roots']>;
  const { worker, intake } = await intakeWithKept(keptOf({ roots, paths: ['a/2', 'a/3'] }));
  await intake.goOn();
  expect(worker.resumed).toBe(1);
  expect(worker.surveyed[0]?.bins).toBe(4096);
  expect(worker.started).toEqual([['a/2']]);
  expect([intake.kept.value, intake.awaited.value, intake.isOpen.value]).toEqual([null, null, false]);
});

test('a kept session whose files may not be read waits for them to be dropped', async () => {
  const root = Object.assign(fileRoot('x'), {
    queryPermission: async () => 'prompt',
    requestPermission: async () => 'denied',
  });
  const kept = keptOf({ roots: [root] as unknown as NonNullable<KeptSummary['roots']>, paths: null });
  const { worker, intake } = await intakeWithKept(kept);
  await intake.goOn();
  expect(worker.resumed).toBe(1);
  expect(worker.started).toEqual([]);
  expect(intake.awaited.value).toBe(kept);
  await intake.take([fileRoot('x')]);
  await intake.start();
  expect(worker.started).toEqual([null]);
  expect(intake.awaited.value).toBeNull();
});

test('a kept session can be forgotten', async () => {
  const { worker, intake } = await intakeWithKept(keptOf({ roots: null, paths: null }));
  await intake.startAnew();
  expect(worker.keptSession).toBeNull();
  expect(intake.kept.value).toBeNull();
  expect(worker.resumed).toBe(0);
});

test('lines: problems first, then filtered and sorted as asked', () => {
  const lines = linesOf(surveyOf([row('a/1', 30), row('a/2', 10)]));
  const paths = (...asked: [Parameters<typeof arranged>[1], Parameters<typeof arranged>[2]]): string =>
    arranged(lines, ...asked)
      .map(({ path }) => path)
      .join(' ');
  expect(paths('all', null)).toBe('d/b d/a d/e a/1 a/2');
  expect(paths('ready', { key: 'size', isDown: false })).toBe('a/2 a/1');
  expect(paths('problems', { key: 'path', isDown: true })).toBe('d/e d/b d/a');
  expect(paths('all', { key: 'state', isDown: false })).toBe('d/b a/1 a/2 d/a d/e');
  expect(problemCounts(surveyOf([]).problems).map(({ name, count }) => `${count} ${name}`)).toEqual([
    '2 truncated',
    '1 orphan',
  ]);
});

test('settings of another visit count as far as they are understood', () => {
  const initial = settingsOf(null);
  expect(initial).toMatchObject({ bins: 3072, window: 'none', sampleRateHz: null, loHz: null });
  expect(settingsOf({ bins: 4096, window: 'hann', sampleRateHz: 1e6, loHz: 5e9 })).toMatchObject({
    bins: 4096,
    window: 'hann',
    sampleRateHz: 1e6,
    loHz: 5e9,
  });
  expect(settingsOf({ bins: 3000, window: 'kaiser', sampleRateHz: -1, loHz: 'x', run: '/' })).toEqual(
    initial,
  );
  expect(LENGTHS).toContain(3072);
  expect([LENGTHS[0], LENGTHS.at(-1)]).toEqual([256, 8192]);
});

test('frequencies as people write them, and sizes as disks are labelled', () => {
  expect(['2e6', '2 000 000', "2'000'000", '', 'x', '-1', '0'].map(frequencyOf)).toEqual([
    2e6,
    2e6,
    2e6,
    null,
    Number.NaN,
    Number.NaN,
    Number.NaN,
  ]);
  expect([0, 999, 73_728, 57.4e9, 999_999].map(sizeText)).toEqual([
    '0\u202fB',
    '999\u202fB',
    '73.7\u202fkB',
    '57.4\u202fGB',
    '1000\u202fkB',
  ]);
});
