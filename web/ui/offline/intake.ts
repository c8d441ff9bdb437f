/**
 * The intake: what a person has dropped, what of it can be measured, and how it shall be. Everything before the
 * start, and more files after it.
 *
 *   idle ─drop, pick─▶ searching ─▶ looking ─▶ ready ─start─▶ ready …
 *                       (files)      (table)     └─ a setting changes ─▶ looking
 */
import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { EnginePreference } from '../../engine/choose.ts';
import { gather, type Root } from '../../offline/browser/gather.ts';
import { handlesOf, mayRead } from '../../offline/browser/picking.ts';
import type {
  Found,
  KeptRoots,
  KeptSummary,
  OfflineSettings,
  Pace,
  PlainProblem,
  Survey,
  SurveyHead,
  SurveyPart,
  SurveyRow,
} from '../../offline/browser/types.ts';
import { type Line, linesOf } from './lines.ts';
import { readSettings, rememberSettings } from './settings.ts';

/** What the intake needs of the worker. */
export interface IntakeWorker {
  add(found: Found): Promise<void>;
  survey(settings: OfflineSettings): Promise<SurveyHead>;
  /** Some of its lines, from this one on. */
  surveyPart(from: number): Promise<SurveyPart>;
  pace(settings: OfflineSettings): Promise<Pace>;
  start(paths: readonly string[] | null, settings: OfflineSettings, roots: KeptRoots | null): Promise<void>;
  kept(): Promise<KeptSummary | null>;
  resume(): Promise<void>;
  forget(): Promise<void>;
}

export type IntakePhase = 'idle' | 'searching' | 'looking' | 'ready';

/** A setting is taken when nobody has typed for so long. */
const SETTLE_MS = 400;

export class Intake {
  readonly phase: Signal<IntakePhase> = signal('idle');
  /** It lies over the panels: before the start, and when somebody adds files. */
  readonly isOpen: Signal<boolean> = signal(true);
  readonly filesFound: Signal<number> = signal(0);
  readonly survey: Signal<Survey | null> = signal(null);
  readonly pace: Signal<Pace | null> = signal(null);
  readonly settings: Signal<OfflineSettings>;
  /** Paths that a person has left out. */
  readonly leftOut: Signal<ReadonlySet<string>> = signal(new Set());
  /** Why there is no table; empty while there is no reason. */
  readonly trouble: Signal<string> = signal('');
  readonly lines: ReadonlySignal<readonly Line[]> = computed(() =>
    this.survey.value === null ? [] : linesOf(this.survey.value),
  );
  /** What Start would measure. */
  readonly chosen = computed(() => {
    const leftOut = this.leftOut.value;
    const rows = (this.survey.value?.rows ?? []).filter(
      ({ status, path }) => status === 'new' && !leftOut.has(path),
    );
    return { rows, bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0) };
  });
  /** A session of an earlier visit, as long as nobody has said what shall become of it. */
  readonly kept: Signal<KeptSummary | null> = signal(null);
  /** It goes on, and waits for its files to be dropped again. */
  readonly awaited: Signal<KeptSummary | null> = signal(null);
  readonly #worker: IntakeWorker;
  /** Everything that was dropped or picked. */
  #roots: Root[] = [];
  #search: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts looks, so that one that was overtaken is not shown. */
  #looks = 0;

  constructor(worker: IntakeWorker, engine: EnginePreference) {
    this.#worker = worker;
    this.settings = signal({ ...readSettings(), engine });
    void worker.kept().then((kept) => {
      this.kept.value = kept;
    });
  }

  /** Searches what was dropped or picked, one search after the other, and shows what all of them have brought. */
  async take(roots: readonly Root[]): Promise<void> {
    if (roots.length === 0) return;
    if (this.#search !== null) {
      this.trouble.value = 'Files are still being searched: drop these again when that has ended.';
      return;
    }
    const search = new AbortController();
    this.#search = search;
    this.#roots.push(...roots);
    batch(() => {
      this.phase.value = 'searching';
      this.isOpen.value = true;
      this.filesFound.value = 0;
      this.trouble.value = '';
    });
    const problems: PlainProblem[] = [];
    try {
      const found = async (entries: Found['entries']): Promise<void> => {
        await this.#worker.add({ entries, problems: [] });
        this.filesFound.value += entries.length;
      };
      await gather(roots, { found, problem: (problem) => problems.push(problem) }, search.signal);
    } catch (error) {
      // Stopped by a person: what was found until then counts.
      if (!search.signal.aborted) this.trouble.value = textOf(error);
    }
    this.#search = null;
    await this.#worker.add({ entries: [], problems });
    await this.look();
  }

  /** Opens it, or closes it. What is measured may have become more since it was last looked at. */
  toggle(): void {
    this.isOpen.value = !this.isOpen.peek();
    if (this.isOpen.peek()) void this.refresh();
  }

  /** Looks again at what there is, if there is something, and somebody sees it. */
  async refresh(): Promise<void> {
    if (this.isOpen.peek() && this.phase.peek() === 'ready') await this.look();
  }

  /** Ends a search; what it has found stays. */
  stopSearch(): void {
    this.#search?.abort();
  }

  /** Asks the worker what all the files are. */
  async look(): Promise<void> {
    const look = ++this.#looks;
    const settings = this.settings.peek();
    this.phase.value = 'looking';
    try {
      const survey = await this.#survey(settings);
      if (look !== this.#looks) return;
      batch(() => {
        this.survey.value = survey;
        this.phase.value = 'ready';
      });
      if (this.pace.peek() !== null || survey.bytes === 0) return;
      const pace = await this.#worker.pace(settings);
      if (look === this.#looks) this.pace.value = pace;
    } catch (error) {
      if (look !== this.#looks) return;
      batch(() => {
        this.trouble.value = textOf(error);
        this.phase.value = this.survey.value === null ? 'idle' : 'ready';
      });
    }
  }

  /** In parts, so that tens of thousands of lines never hold the page up. */
  async #survey(settings: OfflineSettings): Promise<Survey> {
    const { rowCount, problemCount, ...head } = await this.#worker.survey(settings);
    const rows: SurveyRow[] = [];
    const problems: PlainProblem[] = [];
    while (rows.length < rowCount || problems.length < problemCount) {
      const part = await this.#worker.surveyPart(Math.max(rows.length, problems.length));
      // Another look has come in between; its own lines follow.
      if (part.rows.length + part.problems.length === 0) break;
      rows.push(...part.rows);
      problems.push(...part.problems);
    }
    return { ...head, rows, problems };
  }

  change(change: Partial<OfflineSettings>): void {
    const settings = { ...this.settings.peek(), ...change };
    this.settings.value = settings;
    this.pace.value = null;
    rememberSettings(settings);
    if (this.survey.peek() === null) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.look(), SETTLE_MS);
  }

  /** Leaves rows out, or takes them in again. */
  choose(paths: readonly string[], isIn: boolean): void {
    const leftOut = new Set(this.leftOut.peek());
    for (const path of paths) {
      if (isIn) leftOut.delete(path);
      else leftOut.add(path);
    }
    this.leftOut.value = leftOut;
  }

  async start(): Promise<void> {
    const { rows } = this.chosen.peek();
    if (this.phase.peek() !== 'ready' || rows.length === 0) return;
    const isAll = (this.survey.peek()?.rows ?? []).every(({ path }) => !this.leftOut.peek().has(path));
    const paths = isAll ? null : rows.map(({ path }) => path);
    try {
      await this.#worker.start(paths, this.settings.peek(), handlesOf(this.#roots));
      batch(() => {
        this.isOpen.value = false;
        this.kept.value = null;
        this.awaited.value = null;
      });
      this.survey.value = await this.#survey(this.settings.peek());
    } catch (error) {
      this.trouble.value = textOf(error);
    }
  }

  /**
   * Goes on with the session of an earlier visit. To be called while a click is being handled: the browser asks the
   * person whether the files may be read again. Where it has no handles of them, they have to be dropped.
   */
  async goOn(): Promise<void> {
    const kept = this.kept.peek();
    if (kept === null) return;
    const isAllowed = kept.roots !== null && (await mayRead(kept.roots).catch(() => false));
    await this.#worker.resume();
    batch(() => {
      this.kept.value = null;
      this.awaited.value = kept;
      this.settings.value = { ...kept.settings, engine: this.settings.peek().engine };
    });
    // What was dropped before the click is looked at with the settings of that session.
    if (this.survey.peek() !== null) await this.look();
    else if (isAllowed) await this.#measureAgain(kept);
  }

  /** Files that are found by themselves are measured without a further question. */
  async #measureAgain({ roots, paths }: KeptSummary): Promise<void> {
    await this.take(roots ?? []);
    const rows = this.survey.peek()?.rows ?? [];
    if (paths !== null) {
      const asked = new Set(paths);
      const others = rows.map(({ path }) => path).filter((path) => !asked.has(path));
      this.choose(others, false);
    }
    if (this.chosen.peek().rows.length > 0) await this.start();
    else this.isOpen.value = rows.length === 0;
  }

  /** The session of an earlier visit is forgotten. */
  async startAnew(): Promise<void> {
    await this.#worker.forget();
    this.kept.value = null;
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
