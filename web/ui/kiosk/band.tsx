/**
 * The band of a wall display: in letters for five metres whether the data live, how old they are, and the state of the
 * chain in two words; beside it, in letters for those who come closer, the rest of what the status strip says.
 */
import { counted } from '../format/quantities.ts';
import { clipping } from '../model/adc.ts';
import type { ChainSummary } from '../model/chain.ts';
import type { Model } from '../model/model.ts';
import { ClipCell } from '../strip/clip-cell.tsx';
import { EngineCell, LinkCell, LiveBadge, Progress } from '../strip/strip.tsx';

type ChainCode = ChainSummary['code'];
type LiveCode = Exclude<ChainCode, `offline-${string}`>;

/** At most a dozen letters each: more do not fit beside the age. */
const CHAIN_WORDS: Readonly<Record<LiveCode, string>> = {
  well: 'all well',
  connecting: 'connecting',
  disconnected: 'bridge away',
  'refused-token': 'no token',
  'refused-protocol': 'old version',
  refused: 'refused',
  'input-away': 'input away',
  'output-away': 'output away',
  standby: 'standing by',
  'no-processor': 'no processor',
  starting: 'starting',
  waiting: 'waiting',
  behind: 'catching up',
  stale: 'no new data',
};

const isLive = (code: ChainCode): code is LiveCode => code in CHAIN_WORDS;

function WakeCell({ model }: { model: Model }) {
  const lock = model.wakeLock.value;
  if (lock === null) return null;
  const words = {
    asked: 'asked to stay on',
    held: 'stays on',
    refused: `may sleep: ${lock.phase === 'refused' ? lock.reason : ''}`,
  }[lock.phase];
  return (
    <span class={`cell wake ${lock.phase}`}>
      screen <b>{words}</b>
    </span>
  );
}

/** The first of them by name; the others only counted. */
function NoticeCell({ model }: { model: Model }) {
  const [first, ...others] = model.notices.value;
  const more = others.length === 0 ? '' : ` and ${counted(others.length, 'more notice')}`;
  return (
    <span class={`cell notice ${first?.isAlarm ? 'alarm' : ''}`}>
      {first === undefined ? (
        'no alarms'
      ) : (
        <>
          <b>
            {first.count > 1 && first.code === first.title ? `${first.title} ×${first.count}` : first.title}
          </b>
          {more}
        </>
      )}
    </span>
  );
}

export function Band({ model }: { model: Model }) {
  const { code, severity } = model.chain.value;
  // A chain that works brings what the digitiser spoils.
  const isClipping = code === 'well' && clipping(model.adcNow.value)?.isNow === true;
  // What was said last is not known any more.
  const state = model.connection.value.phase === 'open' ? model.state.value : null;
  return (
    <header class="band">
      <LiveBadge model={model} />
      <h1 class={`band-chain ${isClipping ? 'alarm' : severity}`}>
        {isClipping ? 'clipping' : isLive(code) ? CHAIN_WORDS[code] : ''}
      </h1>
      <div class="band-facts">
        <div class="band-line">
          <span class="cell run">
            <b>{model.run.value ?? '–'}</b>
          </span>
          <Progress model={model} />
          <LinkCell label="in" link={state?.input} />
          <LinkCell label="out" link={state?.output} />
        </div>
        <div class="band-line">
          <ClipCell model={model} />
          <EngineCell model={model} />
          <NoticeCell model={model} />
          <WakeCell model={model} />
        </div>
      </div>
    </header>
  );
}
