/**
 * The digitiser in four lines: clipping, the range of I and Q with their DC, and their balance.
 */
import { useComputed } from '@preact/signals';
import { type AdcFault, adcFaults } from '../../analysis/adc-health.ts';
import { adcLines, clippedText, newestAdc } from '../model/adc.ts';
import type { Model } from '../model/model.ts';

export function AdcFacts({ model }: { model: Model }) {
  const health = useComputed(() => newestAdc(model.adc.value)).value;
  if (health === null) {
    return (
      <dl class="adc">
        <dt>ADC</dt>
        <dd>–</dd>
      </dl>
    );
  }
  const faults = adcFaults(health);
  const has = (...bad: readonly AdcFault[]): boolean => faults.some((fault) => bad.includes(fault));
  const isBad = [has('dc', 'silent-i'), has('dc', 'silent-q'), has('imbalance')];
  return (
    <dl class="adc" title="Of the latest file; file in progress and run are under «Status» (key i)">
      <dt>ADC, clipped samples</dt>
      <dd>
        <b class={has('clipping') ? 'bad' : ''}>{clippedText(health)}</b>{' '}
        {adcLines(health).map((line, i) => (
          <span key={line.slice(0, 1)} class={`detail ${isBad[i] ? 'bad' : ''}`}>
            {line}
          </span>
        ))}
      </dd>
    </dl>
  );
}
