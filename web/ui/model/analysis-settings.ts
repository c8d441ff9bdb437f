/** What the worker is to analyse, from the view. */
import type { AnalysisSettings } from '../../analysis/analysis.ts';
import { DEFAULT_BASELINE } from '../../analysis/excess.ts';
import type { View } from './view.ts';

export const analysisSettings = (view: View): AnalysisSettings => ({
  ...DEFAULT_BASELINE,
  of: view.of.value,
  window: view.window.value,
  degree: view.degree.value,
});
