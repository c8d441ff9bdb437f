/**
 * Clipping, in the strip of live page and wall display alike; nothing where nothing has clipped.
 */
import { useComputed } from '@preact/signals';
import { grouped } from '../format/numbers.ts';
import { clippedText, clipping } from '../model/adc.ts';
import type { Model } from '../model/model.ts';

export function ClipCell({ model }: { model: Model }) {
  const said = useComputed(() => clipping(model.adcNow.value)).value;
  if (said === null) return null;
  const { isNow, health } = said;
  return (
    <span
      class={`cell clipping ${isNow ? 'now' : ''}`}
      title={`At the end of the digitiser's range${isNow ? '' : ', in this run'}: ${clippedText(health)}. Lower the gain before it.`}
    >
      {isNow ? 'clipping' : 'clipped'} <b>{grouped(health.clipped)}</b>
    </span>
  );
}
