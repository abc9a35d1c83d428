import type { PrometheusApi } from "../../prometheus-api";
import type { Stored } from "../stored";

/** What is compared, and how. Times in ms. */
export interface StepContext {
  readonly api: Pick<PrometheusApi, "queryRange">;
  readonly stored: Stored;
  /** Distance of the steps: the scrape interval. */
  readonly interval: number;
  /** The root's lookback. */
  readonly lookback: number;
  /** Window of `increase`. */
  readonly window: number;
  readonly tolerance: number;
  /** Acknowledged after this (wall clock) = not yet certainly readable. */
  readonly settledBefore: number;
}
