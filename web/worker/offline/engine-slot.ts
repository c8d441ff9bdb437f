/** The engine of a session: made when it is first needed, and anew for other slices, another window or another wish. */
import type { ChooseOptions } from '../../engine/choose.ts';
import type { EngineDescription, SpectrumEngine } from '../../engine/engine.ts';

export type CreateEngine = (options: ChooseOptions) => Promise<SpectrumEngine>;
type Wanted = Pick<ChooseOptions, 'bins' | 'window' | 'prefer'>;

export class EngineSlot {
  readonly #create: CreateEngine;
  readonly #changed: (description: EngineDescription) => void;
  #made: { readonly wanted: Wanted; readonly engine: Promise<SpectrumEngine> } | null = null;

  constructor(create: CreateEngine, changed: (description: EngineDescription) => void) {
    this.#create = create;
    this.#changed = changed;
  }

  /** @throws {EngineError} `unavailable`, `self-test`: no engine works here */
  async get(wanted: Wanted): Promise<SpectrumEngine> {
    if (this.#made === null || !isSame(this.#made.wanted, wanted)) {
      this.drop();
      const engine = this.#create({ ...wanted, onChange: this.#changed });
      this.#made = { wanted, engine };
    }
    const engine = await this.#made.engine;
    this.#changed(engine.description);
    return engine;
  }

  /** It has failed, or another one is wanted. */
  drop(): void {
    const made = this.#made;
    this.#made = null;
    void made?.engine.then(
      (engine) => engine.dispose(),
      () => {},
    );
  }
}

const isSame = (a: Wanted, b: Wanted): boolean =>
  a.bins === b.bins && a.window === b.window && a.prefer === b.prefer;
