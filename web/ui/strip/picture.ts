/**
 * The plots as a picture, with title and numbers on it.
 */
import { integrationSeconds, resolutionBandwidthHz } from '../../analysis/exposure.ts';
import { SOFTWARE } from '../../../bridge/protocol/software.ts';
import { grouped } from '../format/numbers.ts';
import { counted, shortFrequency, span, utc } from '../format/quantities.ts';
import type { Model } from '../model/model.ts';
import { storedOf } from '../model/stored.ts';
import { remPixels } from '../plot/gutters.ts';
import { BAND_NAMES, windowText } from '../spectrum/names.ts';
import { storedText } from '../spectrum/stored-note.tsx';
import { save } from './save.ts';

/** Lines of text above the plots: what it is, and under which conditions. */
export function pictureLines(model: Model): readonly string[] {
  const g = model.geometry.value;
  const stored = storedOf(model).value;
  const { run, latest } = { run: model.spectra.run.value, latest: model.spectra.latest.value };
  const shown = run ?? latest;
  const newest = shown === null || Number.isNaN(shown.newestUtcMs) ? '' : `up to ${utc(shown.newestUtcMs)}`;
  return [
    [`haloscope · ${model.run.value ?? 'no run'}`, stored === null ? newest : `stored ${storedText(stored)}`]
      .filter(Boolean)
      .join(' · '),
    [
      run === null || stored !== null ? '' : `${counted(run.files, 'file')}, n ${grouped(run.slices)}`,
      run === null || stored !== null ? '' : span(integrationSeconds(run.slices, g)),
      `LO ${shortFrequency(g.loHz)}`,
      `${grouped(g.sampleRateHz / 1e6, 3)} MS/s`,
      `RBW ${grouped(resolutionBandwidthHz(g, model.window.value), 2)} Hz`,
      windowText(model.window.value),
      model.view.unit.value === 'published' ? 'power as published (PSD/√2)' : 'power spectral density',
      `band: ${BAND_NAMES[model.view.band.value]}`,
      SOFTWARE,
    ]
      .filter(Boolean)
      .join(' · '),
  ];
}

/** Everything that lies in `main`, as it is on the screen. */
function compose(model: Model): HTMLCanvasElement {
  const main = document.querySelector('main');
  if (main === null) throw new Error('the page has no plots');
  const area = main.getBoundingClientRect();
  const ratio = devicePixelRatio;
  const rem = remPixels();
  const head = Math.round(4.2 * rem);
  const out = document.createElement('canvas');
  out.width = Math.round(area.width * ratio);
  out.height = Math.round((area.height + head) * ratio);
  const ctx = out.getContext('2d');
  if (ctx === null) throw new Error('the browser gives no canvas to draw on');
  const style = getComputedStyle(document.body);
  ctx.fillStyle = style.backgroundColor;
  ctx.fillRect(0, 0, out.width, out.height);
  ctx.scale(ratio, ratio);
  ctx.fillStyle = style.color;
  pictureLines(model).forEach((line, i) => {
    ctx.font = `${i === 0 ? rem * 1.3 : rem * 0.95}px ${style.fontFamily}`;
    ctx.fillText(line, rem, rem * (i === 0 ? 1.8 : 3.4), area.width - 2 * rem);
  });
  ctx.font = `${rem * 0.9}px ${style.fontFamily}`;
  for (const caption of main.querySelectorAll<HTMLElement>('.caption')) {
    const box = caption.getBoundingClientRect();
    ctx.fillText(
      caption.innerText,
      box.left - area.left,
      box.bottom - area.top + head - 0.3 * rem,
      box.width,
    );
  }
  for (const canvas of main.querySelectorAll('canvas')) {
    const box = canvas.getBoundingClientRect();
    ctx.drawImage(canvas, box.left - area.left, box.top - area.top + head, box.width, box.height);
  }
  return out;
}

export async function savePicture(model: Model): Promise<void> {
  try {
    const canvas = compose(model);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
    if (blob === null) throw new Error('the browser could not make a PNG');
    const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
    const name = `haloscope_${(model.run.peek() ?? 'plot').replace(/[^A-Za-z0-9._~-]/g, '-')}_${stamp}Z.png`;
    save(blob, name);
    model.message.value = `Saved ${name}.`;
  } catch (error) {
    model.message.value = `No PNG: ${error instanceof Error ? error.message : String(error)}`;
  }
}
