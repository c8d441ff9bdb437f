/**
 * What the keyboard and the mouse do.
 */
import { KEYS } from '../keys.ts';
import type { Model } from '../model/model.ts';

const MOUSE: readonly (readonly [gesture: string, does: string])[] = [
  ['drag', 'zoom into a stretch of frequency; taller boxes zoom the height as well'],
  ['wheel', 'zoom the frequency about the cursor; over the vertical axis, or with Alt, the height'],
  ['Shift + drag', 'move the picture (also the middle button, or Shift + wheel)'],
  ['double click', 'whole band'],
];

export function KeysPanel({ model }: { model: Model }) {
  return (
    <>
      <h2>Keys</h2>
      <dl class="keys">
        {KEYS.map(({ label, does }) => (
          <>
            <dt>
              <kbd>{label}</kbd>
            </dt>
            <dd>{does}</dd>
          </>
        ))}
      </dl>
      <p>
        {model.isOffline ? (
          <a href="./">Live monitor of a bridge</a>
        ) : (
          <a href="./offline.html">Offline: analyse files of this computer, without a bridge</a>
        )}
      </p>
      <h2>Mouse</h2>
      <dl class="keys">
        {MOUSE.map(([gesture, does]) => (
          <>
            <dt>{gesture}</dt>
            <dd>{does}</dd>
          </>
        ))}
      </dl>
    </>
  );
}
