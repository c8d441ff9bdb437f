/** An engine connected to a pipeline as a processor, without a socket. */
import type { Lease, ProcessorSession } from '../../bridge/dispatch/lease.ts';
import type { Pipeline } from '../../bridge/pipeline.ts';
import type { SpectrumEngine } from '../../web/engine/engine.ts';

/** @param limit so many blocks are answered, the rest are kept */
export function connectEngine(
  pipeline: Pipeline,
  engine: SpectrumEngine,
  id = 'p',
  limit = Infinity,
): ProcessorSession {
  let left = limit;
  const compute = async ({ block, epoch }: Lease): Promise<void> => {
    if (left-- <= 0) return;
    const samples = new Float32Array(block.slices * block.bins * 2);
    const bytes = Buffer.from(samples.buffer);
    let at = 0;
    const segments = block.segments.map(({ value, slices }) => {
      value.copy(bytes, at);
      const segment = { offset: at / 4, slices };
      at += value.length;
      return segment;
    });
    const moments = await engine.process({ samples, segments, clipLevel: block.clipLevel });
    session.answer(block.id, epoch, moments, 1);
    session.grant(1);
  };
  const session = pipeline.join({
    id,
    headless: true,
    engine: engine.description,
    deliver: (lease) => void compute(lease),
    dismiss: (_code, message) => {
      throw new Error(message);
    },
  });
  session.grant(2);
  return session;
}
