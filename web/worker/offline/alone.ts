/** One recording by itself, which counts for nothing: to look at it again, to have all its digits, or to see how fast. */
import type { Geometry } from '../../../bridge/protocol/geometry.ts';
import type { SpectrumEngine } from '../../engine/engine.ts';
import { analyze, type Measured } from '../../offline/analysis.ts';
import type { Recording } from '../../offline/recording.ts';

const NEVER = new AbortController().signal;

/** @throws {FileProblem} @throws {EngineError} */
export async function measureAlone(
  engine: SpectrumEngine,
  geometry: Geometry,
  recording: Recording,
): Promise<Measured | null> {
  const found: Measured[] = [];
  await analyze(
    [recording],
    { engine, geometry, verify: false, stop: NEVER, giveUp: NEVER },
    {
      measured: (measured) => void found.push(measured),
      problem: (problem) => {
        throw problem;
      },
    },
  );
  return found[0] ?? null;
}

/** Bytes per second, read and computed; null where it has a problem. @throws {EngineError} */
export async function paceOf(
  engine: SpectrumEngine,
  geometry: Geometry,
  recording: Recording,
): Promise<number | null> {
  const begunMs = performance.now();
  const measured = await measureAlone(engine, geometry, recording).catch(() => null);
  return measured === null ? null : (1000 * recording.bytes) / (performance.now() - begunMs);
}
