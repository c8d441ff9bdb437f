/**
 * How files get in.
 */
import type { Entry } from '../../offline/browser/types.ts';
import type { Desk } from './desk.ts';

const entriesOf = (files: FileList | null): Entry[] =>
  [...(files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));

export function OfflineIntake({ desk }: { desk: Desk }) {
  const survey = desk.survey.value;
  const take = async (files: FileList | null): Promise<void> =>
    desk.add({ entries: entriesOf(files), problems: [] });
  return (
    <div class="offline-intake">
      <label>
        Files <input type="file" multiple onChange={(event) => void take(event.currentTarget.files)} />
      </label>
      {survey !== null && (
        <button
          type="button"
          class="plain"
          disabled={survey.rows.length === 0}
          onClick={() => void desk.start(null)}
        >
          Start
        </button>
      )}
    </div>
  );
}
