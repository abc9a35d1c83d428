import * as kit from "./schema-kit";

/** Config keys of what watches the pipeline and shows it to people. */

export const monitoringSchema = kit
  .object({
    enabled: kit
      .flag()
      .default(true)
      .describe("Run it. false: no alerts on the pipeline itself, and fewer dashboards."),
    retention: kit.duration("2h", "3650d").default("15d").describe("How long the pipeline's own metrics are kept."),
    storageSize: kit
      .memory("256Mi", "1Ti")
      .default("10Gi")
      .describe("Volume; what does not fit into 80% of it goes before its time. Fixed once it is deployed."),
    scrapeInterval: kit
      .duration("5s", "1m")
      .default("30s")
      .describe("How often every part is asked, and the alerts are evaluated."),
    runbooks: kit
      .text("where the runbooks are, not empty")
      .default("docs/runbooks")
      .describe(
        "Base of the alerts' `runbook_url`, such as the address of docs/runbooks in your repository's browser.",
      ),
  })
  .prefault({})
  .describe("A small Prometheus outside the data path that watches every part and alerts on the pipeline itself.");

export const grafanaSchema = kit
  .object({
    dashboards: kit
      .flag()
      .default(true)
      .describe("ConfigMaps with dashboards and data sources for a Grafana that watches the namespace."),
  })
  .prefault({})
  .describe("For a Grafana of your own; none is deployed.");
