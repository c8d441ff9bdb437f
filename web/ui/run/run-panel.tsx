/**
 * The run, and what operators may do to it: begin another one, reset the average, annotate. What was done stands below.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { BridgeState } from '../../../bridge/protocol/state.ts';
import { MAX_ANNOTATION_TEXT, MAX_AUTHOR } from '../../../bridge/protocol/operator.ts';
import { isGivenRunName } from '../../../bridge/protocol/run-name.ts';
import { integrationSeconds } from '../../analysis/exposure.ts';
import { counted, span, utc } from '../format/quantities.ts';
import type { Model } from '../model/model.ts';
import { keepAuthor, keptAuthor, operate } from './operate.ts';
import { isPointed, offeredPlaces } from './places.ts';
import './run-panel.css';

interface PartProps {
  readonly model: Model;
  /** A command is on its way. */
  readonly isBusy: boolean;
  /** Sends a command. */
  readonly act: (action: Parameters<typeof operate>[1]) => Promise<boolean>;
}

const averageText = ({ run, geometry }: BridgeState): string =>
  `${counted(run.filesDone, 'file')}, ${span(integrationSeconds(run.slicesDone, geometry))}`;

function Facts({ state }: { state: BridgeState | null }) {
  if (state === null) return <p class="quiet">The bridge has not been heard of yet.</p>;
  const { name, firstUtc, resetUtc } = state.run;
  return (
    <dl>
      <dt>Name</dt>
      <dd>{name}</dd>
      <dt>Average</dt>
      <dd>
        {averageText(state)}
        {firstUtc === null ? '' : `, data since ${utc(Date.parse(firstUtc))}`}
        {resetUtc === null ? '' : `, reset ${utc(Date.parse(resetUtc))}`}
      </dd>
    </dl>
  );
}

function NewRun({ isBusy, act }: PartProps) {
  const [name, setName] = useState('');
  const isAllowed = isGivenRunName(name);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isAllowed) void act({ kind: 'new-run', name }).then((isDone) => isDone && setName(''));
      }}
    >
      <fieldset>
        <legend>New run</legend>
        <p class="quiet">
          From the next file on, results are published and averaged under this name. What was measured before
          stays as it is.
        </p>
        <div class="row">
          <input
            aria-label="Name of the new run"
            placeholder="name: letters, digits, . _ -"
            maxlength={64}
            spellcheck={false}
            autocomplete="off"
            value={name}
            aria-invalid={name !== '' && !isAllowed}
            onInput={(event) => setName(event.currentTarget.value)}
          />
          <button type="submit" class="plain" disabled={isBusy || !isAllowed}>
            Begin
          </button>
        </div>
      </fieldset>
    </form>
  );
}

function Reset({ model, isBusy, act }: PartProps) {
  const [isAsking, setAsking] = useState(false);
  const state = model.state.value;
  const isEmpty = (state?.run.filesDone ?? 0) === 0;
  return (
    <fieldset>
      <legend>Average</legend>
      {isAsking && state !== null ? (
        <div role="alertdialog" aria-label="Reset the average?">
          <p>
            The average of {state.run.name} ({averageText(state)}) ends, for everybody, and begins anew with
            the next file. Nothing that is published is deleted; waterfall, total power, holds, annotations
            and the reference stay.
          </p>
          <div class="row">
            <button
              type="button"
              class="plain"
              disabled={isBusy}
              onClick={() => {
                setAsking(false);
                void act({ kind: 'reset' });
              }}
            >
              Reset the average
            </button>
            <button type="button" class="plain" onClick={() => setAsking(false)}>
              Keep it
            </button>
          </div>
        </div>
      ) : (
        <button type="button" class="plain" disabled={isBusy || isEmpty} onClick={() => setAsking(true)}>
          Reset the average…
        </button>
      )}
    </fieldset>
  );
}

function Annotate({ model, isBusy, act }: PartProps) {
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState('');
  const pointed = model.pointed.value;
  const places = offeredPlaces(pointed, model.view.a.value, model.geometry.value);
  const place = places.find(({ name }) => name === chosen) ?? places[0];
  const line = text.trim();
  const field = useRef<HTMLInputElement>(null);
  // Asked for from a plot, there is one thing left to say.
  useEffect(() => {
    if (isPointed(pointed)) field.current?.focus();
  }, [pointed]);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (place === undefined || line === '') return;
        void act({ kind: 'annotate', at: place.at(), text: line }).then((isDone) => isDone && setText(''));
      }}
    >
      <fieldset>
        <legend>Annotation</legend>
        <div class="places" role="radiogroup" aria-label="Where the annotation stands">
          {places.map(({ name, label }) => (
            <label key={name} class="check">
              <input
                type="radio"
                name="place"
                checked={name === place?.name}
                onChange={() => setChosen(name)}
              />
              {label}
            </label>
          ))}
        </div>
        <p class="quiet">The key ! on a plot takes the frequency or the moment under the cursor.</p>
        <div class="row">
          <input
            ref={field}
            aria-label="Text of the annotation"
            placeholder="what happened"
            maxlength={MAX_ANNOTATION_TEXT}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
          <button type="submit" class="plain" disabled={isBusy || line === ''}>
            Annotate
          </button>
        </div>
      </fieldset>
    </form>
  );
}

function Author() {
  const [author, setAuthor] = useState(keptAuthor);
  return (
    <label class="author">
      Signed by{' '}
      <input
        placeholder="your name"
        maxlength={MAX_AUTHOR}
        value={author}
        onInput={(event) => {
          setAuthor(event.currentTarget.value);
          keepAuthor(event.currentTarget.value);
        }}
      />
    </label>
  );
}

function Log({ state }: { state: BridgeState | null }) {
  const entries = state?.operations.toReversed() ?? [];
  return (
    <>
      <h3>What operators did</h3>
      {entries.length === 0 ? (
        <p class="quiet">Nothing yet.</p>
      ) : (
        <ul class="operations">
          {entries.map(({ id, utc: at, who, what }) => (
            <li key={id}>
              <span class="quiet">
                {utc(Date.parse(at))}, {who}
              </span>
              <div>{what}</div>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

export function RunPanel({ model }: { model: Model }) {
  const [waiting, setWaiting] = useState(0);
  const reason = model.operatorReason.value;
  const part: PartProps = {
    model,
    isBusy: waiting > 0,
    act: async (action) => {
      setWaiting((n) => n + 1);
      try {
        return await operate(model, action);
      } finally {
        setWaiting((n) => n - 1);
      }
    },
  };
  return (
    <div class="run-panel">
      <h2>Run</h2>
      <Facts state={model.state.value} />
      {reason !== '' && (
        <p class="operator-reason">For operators only: {reason}. The token is pasted under «Status».</p>
      )}
      <fieldset class="operator" disabled={reason !== ''}>
        <legend class="spoken">For operators</legend>
        <NewRun {...part} />
        <Reset {...part} />
        <Annotate {...part} />
        <Author />
      </fieldset>
      <p class="quiet">{waiting > 0 ? 'Waiting for the bridge…' : ''}</p>
      <Log state={model.state.value} />
    </div>
  );
}
