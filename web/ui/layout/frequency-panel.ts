/** A panel over frequency. */
import type { Model } from '../model/model.ts';

export interface FrequencyPanelProps {
  readonly model: Model;
  /** The lowest one carries the labels of the axis. */
  readonly isLowest: boolean;
}
