/** Whether a block holds what its segments say; every engine asks before it reads. */
import { type EngineBlock, EngineError } from './engine.ts';

/** @throws {EngineError} `bad-block` */
export function checkBlock({ samples, segments }: EngineBlock, bins: number): void {
  if (segments.length === 0) throw new EngineError('bad-block', 'the block has no segment');
  for (const [index, { offset, slices }] of segments.entries()) {
    const end = offset + 2 * slices * bins;
    const whole = Number.isInteger(offset) && Number.isInteger(slices);
    if (!whole || offset < 0 || slices < 1 || end > samples.length) {
      throw new EngineError(
        'bad-block',
        `segment ${index} has ${slices} slices of ${bins} bins at ${offset}, the block has ${samples.length} samples`,
      );
    }
  }
}
