/**
 * The files of an offline session in the drawer: those in hand, those with a problem, and all that are in the sum,
 * any of which can be looked at by itself.
 */
import type { MeasuredFile, PlainProblem, RecordingInHand } from '../../offline/browser/types.ts';
import { grouped, THIN } from '../format/numbers.ts';
import { counted, utc } from '../format/quantities.ts';
import type { Model } from '../model/model.ts';
import { type Desk, shownPath } from './desk.ts';

/** A list of thousands is shown in part, about the file that is looked at. */
const LISTED = 200;

const InHand = ({ path, bytes, readBytes }: RecordingInHand) => (
  <li>
    {path} <progress value={readBytes} max={bytes} aria-label={`Part of ${path} that is read`} />
  </li>
);

const Problem = ({ path, code, reason }: PlainProblem) => (
  <li class="alarm">
    <b>{path}</b>
    <div>
      {code}: {reason}
    </div>
  </li>
);

function File({ file, isShown, desk }: { file: MeasuredFile; isShown: boolean; desk: Desk }) {
  return (
    <li>
      <button
        type="button"
        class="plain file"
        aria-pressed={isShown}
        onClick={() => void desk.show(file.path)}
      >
        <b>{file.path}</b> {utc(file.startMs)} · n{THIN}
        {grouped(file.slices)}
      </button>
    </li>
  );
}

/** Steps through the files in the order in which they were measured. */
function Steps({ files, at, desk }: { files: readonly MeasuredFile[]; at: number; desk: Desk }) {
  const step = (to: number, text: string) => (
    <button
      type="button"
      class="plain"
      disabled={files[to] === undefined}
      onClick={() => {
        const file = files[to];
        if (file !== undefined) void desk.show(file.path);
      }}
    >
      {text}
    </button>
  );
  return (
    <p class="row steps">
      {step(at - 1, '◀ Before')}
      {step(at + 1, 'Next ▶')}
      <button type="button" class="plain" onClick={() => void desk.show(null)}>
        Follow the newest
      </button>
    </p>
  );
}

export function FilesPanel({ model, desk }: { model: Model; desk: Desk }) {
  const status = model.offline.value;
  const files = desk.measured.value;
  const problems = desk.problems.value;
  const path = shownPath(model, desk);
  const at = files.findIndex((file) => file.path === path);
  const from = Math.max(0, Math.min(at - LISTED / 2, files.length - LISTED));
  if (status === null) return <p class="quiet">Nothing has been measured yet.</p>;
  return (
    <div class="offline-files">
      <h2>Files</h2>
      {status.inHand.length > 0 && (
        <ul class="in-hand">
          {status.inHand.map((each) => (
            <InHand key={each.path} {...each} />
          ))}
        </ul>
      )}
      {status.missing !== '' && <p>Not in the sum: {status.missing}</p>}
      {status.displaced > 0 && (
        <p class="quiet">
          {counted(status.displaced, 'file')} would overlap by the time of modification, as after a copy, and
          {status.displaced === 1 ? ' stands' : ' stand'} one behind the other in the pictures.
        </p>
      )}
      {problems.length > 0 && (
        <>
          <h3>{counted(problems.length, 'file')} not used</h3>
          <ul class="notices">
            {problems.map((problem) => (
              <Problem key={problem.path} {...problem} />
            ))}
          </ul>
        </>
      )}
      <h3>{counted(files.length, 'file')} in the sum</h3>
      {files.length > 0 && <Steps files={files} at={at} desk={desk} />}
      <ol class="measured" start={from + 1}>
        {files.slice(from, from + LISTED).map((file) => (
          <File key={file.path} file={file} isShown={file.path === path} desk={desk} />
        ))}
      </ol>
    </div>
  );
}
