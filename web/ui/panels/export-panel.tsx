/**
 * What can be taken away: spectra by the bridge's API, the plots as a picture.
 */
import type { ComponentChildren } from 'preact';
import type { Model } from '../model/model.ts';
import { downloadFile, downloadRun, FORMATS, type Format } from '../strip/download.ts';
import { savePicture } from '../strip/picture.ts';

const MEANINGS: Readonly<Record<Format, string>> = {
  csv: 'freq_Hz, power, std, count',
  ecsv: 'the same with units and provenance; astropy opens it',
  npz: 'NumPy arrays and provenance',
  json: 'arrays and provenance',
};

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
  const noRun = model.spectra.run.value === null;
  return (
    <div class="export-panel">
      <h2>Export</h2>
      <h3>Run average, as published, to the last digit</h3>
      <dl class="keys">
        {FORMATS.map((format) => (
          <>
            <dt>
              <ExportButton disabled={noRun} onClick={() => void downloadRun(model, format)}>
                {format.toUpperCase()}
              </ExportButton>
            </dt>
            <dd>{MEANINGS[format]}</dd>
          </>
        ))}
      </dl>
      <h3>Latest file{latest === null ? '' : `, number ${latest.file}`}</h3>
      <p class="row">
        <ExportButton disabled={latest === null} onClick={() => void downloadFile(model, 'csv')}>
          File as CSV
        </ExportButton>
        <ExportButton disabled={latest === null} onClick={() => void downloadFile(model, 'json')}>
          File as JSON
        </ExportButton>
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
