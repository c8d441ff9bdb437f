/**
 * The size of a plot's element, kept instead of asked for at every drawing: to ask forces the browser to lay out the
 * page first.
 */
import { remPixels } from './gutters.ts';

export class ElementSize {
  readonly #element: HTMLElement;
  readonly #observer: ResizeObserver;
  /** CSS pixels; unknown before the first question. */
  #size: { readonly width: number; readonly height: number; readonly rem: number } | null = null;

  constructor(element: HTMLElement, changed: () => void) {
    this.#element = element;
    this.#observer = new ResizeObserver(() => {
      this.#size = null;
      changed();
    });
    this.#observer.observe(element);
  }

  /** The root font size follows the window's width, with which the element changes its own. */
  get current(): { readonly width: number; readonly height: number; readonly rem: number } {
    this.#size ??= {
      width: this.#element.clientWidth,
      height: this.#element.clientHeight,
      rem: remPixels(),
    };
    return this.#size;
  }

  dispose(): void {
    this.#observer.disconnect();
  }
}
