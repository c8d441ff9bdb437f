/**
 * What has to be said over the plot: nothing while all is well, otherwise what happens and what to do. It lies over
 * the plot, so that nothing moves when it comes and goes.
 */
import type { Model } from '../model/model.ts';
import { TokenField } from '../panels/token-field.tsx';

export function Headline({ model }: { model: Model }) {
  const { code, severity, headline, advice } = model.chain.value;
  // Old files that are read on purpose are «behind» for hours: the badge says so, without covering the plot.
  if (code === 'well' || code === 'behind') return null;
  const isEmpty = model.newest.value === null;
  return (
    <div class={`headline ${severity} ${isEmpty ? 'alone' : 'above'}`}>
      <p class="headline-text">{headline}</p>
      {advice !== '' && <p class="headline-advice">{advice}</p>}
      {code === 'refused-token' && !model.isKiosk && <TokenField />}
    </div>
  );
}
