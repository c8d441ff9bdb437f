/**
 * The state of the chain in full: every link in words, alarms and incomplete files with their counts.
 */
import type { ComponentChildren } from 'preact';
import type { BridgeState, ClientState } from '../../../bridge/protocol/state.ts';
import { grouped, fixed } from '../format/numbers.ts';
import { counted, utc } from '../format/quantities.ts';
import { linkName } from '../model/chain.ts';
import type { Model } from '../model/model.ts';
import type { Notice } from '../model/notices.ts';
import { AdcTable } from './adc-table.tsx';
import { engineName } from '../strip/engine-line.ts';
import { retentionLine } from './retention-line.ts';
import { TokenField } from './token-field.tsx';

function Row({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

const link = (state: BridgeState['input']): string =>
  `${linkName(state)}: ${state.reachable ? 'reachable' : 'away'}${state.trouble === null ? '' : `. ${state.trouble}`}`;

function client(it: ClientState): string {
  const engine = it.engine === null ? 'no engine yet' : engineName(it.engine);
  const speed = it.msPerFile === null ? '' : `, ${fixed(it.msPerFile, 0)} ms per file`;
  return `${it.headless ? 'headless' : 'page'}: ${engine}${speed}, ${counted(it.blocksDone, 'block')}`;
}

function Links({ model }: { model: Model }) {
  const state = model.state.value;
  const connection = model.connection.value;
  const engine = model.engine.value;
  const processors = state?.clients.filter((it) => it.role === 'processor') ?? [];
  return (
    <dl class="links">
      <Row name="Bridge">
        {state === null
          ? 'not heard of yet'
          : `version ${state.software}, since ${utc(Date.parse(state.startedUtc))}`}
      </Row>
      {state !== null && (
        <>
          <Row name="Input">{link(state.input)}</Row>
          {state.retention !== null && <Row name="Retention">{retentionLine(state.retention)}</Row>}
          <Row name="Output">{link(state.output)}</Row>
          <Row name="Run">
            {state.run.name}, {counted(state.run.filesDone, 'file')}, n {grouped(state.run.slicesDone)}
            {state.run.firstUtc === null ? '' : `, since ${utc(Date.parse(state.run.firstUtc))}`}
          </Row>
          <Row name="Processors">
            {processors.length === 0 ? 'none' : processors.map((it) => <div key={it.id}>{client(it)}</div>)}
          </Row>
          <Row name="Viewers">{grouped(state.clients.length - processors.length)}</Row>
        </>
      )}
      <Row name="Engine here">{engine === null ? 'none' : `${engineName(engine)}. ${engine.why}`}</Row>
      <Row name="Role here">
        {connection.phase === 'open'
          ? `${connection.welcome.role}${connection.welcome.roleReason === '' ? '' : `: ${connection.welcome.roleReason}`}`
          : '–'}
      </Row>
    </dl>
  );
}

function Notices({ notices }: { notices: readonly Notice[] }) {
  if (notices.length === 0) return <p class="quiet">No alarms.</p>;
  return (
    <ul class="notices">
      {notices.map((notice) => (
        <li key={notice.code} class={notice.isAlarm ? 'alarm' : ''}>
          <b>{notice.title}</b>
          {notice.count > 1 && <span class="count"> ×{grouped(notice.count)}</span>}
          <div>{notice.detail}</div>
        </li>
      ))}
    </ul>
  );
}

function Incomplete({ state }: { state: BridgeState }) {
  if (state.incomplete.length === 0) return null;
  return (
    <table class="incomplete">
      <caption>{counted(state.incomplete.length, 'incomplete file')}</caption>
      <thead>
        <tr>
          <th scope="col">run</th>
          <th scope="col">file</th>
          <th scope="col">missing slices</th>
        </tr>
      </thead>
      <tbody>
        {state.incomplete.map((it) => (
          <tr key={`${it.run}/${it.file}`}>
            <td>{it.run}</td>
            <td>{grouped(it.file)}</td>
            <td>{it.missing}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function ChainPanel({ model }: { model: Model }) {
  const { headline, advice } = model.chain.value;
  const state = model.state.value;
  return (
    <>
      <h2>State of the chain</h2>
      <p>
        {headline === ''
          ? 'Data flow from the input to the screen and to the output.'
          : `${headline}. ${advice}`}
      </p>
      <Notices notices={model.notices.value} />
      {state !== null && <Incomplete state={state} />}
      <Links model={model} />
      <AdcTable model={model} />
      {model.role.value === 'viewer' && (
        <>
          <h3>Become a processor</h3>
          <TokenField />
        </>
      )}
    </>
  );
}
