/**
 * What a stored row is, in the place where live data say nothing of the kind: its files, time, n and resolution.
 */
import { grouped } from '../format/numbers.ts';
import { utc } from '../format/quantities.ts';
import type { Model } from '../model/model.ts';
import { type StoredSpectrum, storedOf } from '../model/stored.ts';

const filesText = ({ row }: StoredSpectrum): string =>
  row.files === 1 ? `file ${row.firstFile}` : `files ${row.firstFile}–${row.lastFile}`;

/** «file 12 · 2026-11-24 02:40:12 – 02:40:16 UTC · n 2 731 · mean and largest of 3 bins». */
export function storedText(stored: StoredSpectrum): string {
  const { row, binsPerColumn, largest } = stored;
  const [from, to] = [utc(row.startMs), utc(row.endMs)];
  const end = from.slice(0, 10) === to.slice(0, 10) ? to.slice(11) : to;
  const columns = `mean${largest === undefined ? '' : ' and largest'} of ${binsPerColumn} bins`;
  return [
    filesText(stored),
    `${from.replace(' UTC', '')} – ${end}`,
    `n ${grouped(row.slices)}`,
    binsPerColumn === 1 ? '' : columns,
  ]
    .filter(Boolean)
    .join(' · ');
}

export function StoredNote({ model }: { model: Model }) {
  const stored = storedOf(model).value;
  if (stored === null) return null;
  return (
    <span class="stored-note" role="status">
      Stored, not live: {storedText(stored)}
    </span>
  );
}
