/** Whole stacks: what watches the pipeline sees every part of it, and every panel has data. */
import { describe } from "vitest";
import { monitoringTests } from "./stacks/monitoring-tests";

describe("monitoring and dashboards of a dev stack", monitoringTests);
