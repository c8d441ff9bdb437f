/** What axe objects to in a page as it is now. */
import axe from 'axe-core';
import type { Page } from 'playwright-core';

interface Objection {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** Evaluated by the debugger, which the page's Content-Security-Policy does not bind. */
export const objections = (page: Page): Promise<readonly Objection[]> =>
  page.evaluate<readonly Objection[]>(
    `${axe.source}; axe.run().then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => ({ html, failureSummary })) })))`,
  );
