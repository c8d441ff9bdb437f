/**
 * What can be taken away: spectra as files, the plots as a picture.
 */
import type { ComponentChildren } from 'preact';
import { type Format, FORMATS, type Model } from '../model/model.ts';
import { savePicture } from '../strip/picture.ts';

const MEANINGS: Readonly<Record<Format, string>> = {
  csv: 'freq_Hz, power, std, count',
  ecsv: 'the same with units and provenance; astropy opens it',
  npz: 'NumPy arrays and provenance',
  json: 'arrays and provenance',
};

/** What a bridge's API has of a single file. */
const OF_A_FILE: readonly Format[] = ['csv', 'json'];

interface ButtonProps {
  readonly disabled: boolean;
  readonly onClick: () => void;
  readonly children: ComponentChildren;
}

const ExportButton = ({ disabled, onClick, children }: ButtonProps) => (
  <button type="button" class="plain" disabled={disabled} onClick={onClick}>
    {children}
  </button>
);

export function ExportPanel({ model }: { model: Model }) {
  const latest = model.spectra.latest.value;
  const { requests } = model;
  const { sidecar } = requests;
  const noRun = model.spectra.run.value === null;
  return (
    <div class="export-panel">
      <h2>Export</h2>
      <h3>Run average, as published, to the last digit</h3>
      <dl class="keys">
        {FORMATS.map((format) => (
          <>
            <dt>
              <ExportButton disabled={noRun} onClick={() => requests.download('run', format)}>
                {format.toUpperCase()}
              </ExportButton>
            </dt>
            <dd>{MEANINGS[format]}</dd>
          </>
        ))}
      </dl>
      <h3>
        {model.isOffline ? 'Shown file' : 'Latest file'}
        {latest === null ? '' : `, number ${latest.file}`}
      </h3>
      <p class="row">
        {(model.isOffline ? FORMATS : OF_A_FILE).map((format) => (
          <ExportButton
            key={format}
            disabled={latest === null}
            onClick={() => requests.download('file', format)}
          >
            File as {format.toUpperCase()}
          </ExportButton>
        ))}
        {sidecar !== null && (
          <ExportButton disabled={latest === null} onClick={sidecar}>
            SigMF metadata of the pair
          </ExportButton>
        )}
      </p>
      <h3>Plots as they are on the screen</h3>
      <p class="row">
        <ExportButton disabled={false} onClick={() => void savePicture(model)}>
          PNG
        </ExportButton>
      </p>
    </div>
  );
}
