/**
 * Every engine that this browser has, and how fast it is.
 */
import { useEffect } from 'preact/hooks';
import type { EngineMeasurement } from '../../worker/engine-table.ts';
import { fixed, grouped } from '../format/numbers.ts';
import type { Model } from '../model/model.ts';
import { engineName } from '../strip/engine-line.ts';

/** Three digits: a fraction of a second on a machine that works meanwhile is good for no more. */
const figure = (value: number | null): string =>
  value === null ? '–' : value >= 100 ? grouped(Math.round(value)) : fixed(value, value >= 10 ? 1 : 2);

function Row({ row }: { row: EngineMeasurement }) {
  const words = row.trouble ?? (row.isSoftware ? 'self-test passed; a software adapter' : 'self-test passed');
  return (
    <tr class="engine-row" data-engine={row.candidate}>
      <th scope="row">
        {engineName(row)}
        <div class="quiet">{words}</div>
      </th>
      <td>{figure(row.msPerFile)}</td>
      <td>{figure(row.mbPerSecond)}</td>
      <td>{figure(row.gpuMsPerFile)}</td>
    </tr>
  );
}

export function EnginesPanel({ model }: { model: Model }) {
  const { rows, isBusy, trouble, wanted } = model.engineTable;
  useEffect(() => {
    if (rows.peek().length === 0) wanted.value += 1;
  }, [rows, wanted]);
  return (
    <>
      <h2>Engines of this browser</h2>
      <table class="engines">
        <thead>
          <tr>
            <th scope="col">engine</th>
            <th scope="col">ms per file</th>
            <th scope="col">MB/s</th>
            <th scope="col">GPU ms</th>
          </tr>
        </thead>
        <tbody>
          {rows.value.map((row) => (
            <Row key={row.candidate} row={row} />
          ))}
        </tbody>
      </table>
      <p class="quiet" role="status">
        {isBusy.value
          ? 'Measuring; kernels of a GPU may take some seconds to compile.'
          : (trouble.value ?? 'A file is 67 MB and lasts 4.2 s. GPU: time by its own timestamps.')}
      </p>
      <button
        type="button"
        class="plain"
        disabled={isBusy.value}
        onClick={() => {
          wanted.value += 1;
        }}
      >
        Measure again
      </button>
    </>
  );
}
