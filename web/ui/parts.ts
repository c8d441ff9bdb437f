/** Where the live and the offline page differ; all the rest of the screen is the same. */
import type { ComponentChild } from 'preact';
import type { Model } from './model/model.ts';

type Part = (props: { readonly model: Model }) => ComponentChild;

export interface PageParts {
  /** The line at the top. */
  readonly Strip: Part;
  /** The drawer that says how things stand. */
  readonly Status: Part;
  /** What lies over the panels, or nothing. */
  readonly Over: Part | null;
  /** What stands before the name in the window's title. */
  readonly title: (model: Model) => string;
}
