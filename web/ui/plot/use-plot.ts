/**
 * A plot in a component: made when its element is there, coloured anew with the theme, disposed of with it.
 */
import { effect } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Model } from '../model/model.ts';

interface Plot {
  recolour(): void;
  dispose(): void;
}

/** @param make called anew when one of `inputs` changes */
export function usePlot(
  model: Model,
  make: (host: HTMLElement) => Plot,
  inputs: readonly unknown[],
): RefObject<HTMLDivElement | null> {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (host.current === null) return;
    const plot = make(host.current);
    const follow = effect(() => {
      void model.colours.value;
      plot.recolour();
    });
    return () => {
      follow();
      plot.dispose();
    };
  }, [model, ...inputs]);
  return host;
}
