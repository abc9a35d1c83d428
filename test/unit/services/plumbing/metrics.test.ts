import { describe, expect, it } from "vitest";
import { Metrics } from "../../../../services/plumbing/metrics";
import { canonicalLines } from "../exporter/read-lines";

describe("Metrics", () => {
  it("renders counters, gauges and histograms as text", () => {
    const metrics = new Metrics();
    const counter = metrics.counter("c_total", "Counts.");
    counter.add(2, { a: 'x"\\\n' });
    counter.add(1, { a: 'x"\\\n' });
    metrics.gauge("g", "Goes.").set(-1.5);
    const histogram = metrics.histogram("h_seconds", "Takes.", [0.1, 1]);
    for (const value of [0.1, 0.5, 5]) histogram.observe(value, { b: "c" });
    histogram.observe(0.05);
    expect(metrics.render().split("\n")).toStrictEqual([
      "# HELP c_total Counts.",
      "# TYPE c_total counter",
      'c_total{a="x\\"\\\\\\n"} 3',
      "# HELP g Goes.",
      "# TYPE g gauge",
      "g -1.5",
      "# HELP h_seconds Takes.",
      "# TYPE h_seconds histogram",
      'h_seconds_bucket{b="c",le="0.1"} 1',
      'h_seconds_bucket{b="c",le="1"} 2',
      'h_seconds_bucket{b="c",le="+Inf"} 3',
      'h_seconds_sum{b="c"} 5.6',
      'h_seconds_count{b="c"} 3',
      'h_seconds_bucket{le="0.1"} 1',
      'h_seconds_bucket{le="1"} 1',
      'h_seconds_bucket{le="+Inf"} 1',
      "h_seconds_sum 0.05",
      "h_seconds_count 1",
      "",
    ]);
  });

  it("renders what our own strict parser accepts, process metrics included", () => {
    const metrics = new Metrics();
    metrics.addProcess();
    metrics.histogram("h", "Takes.").observe(3);
    const lines = canonicalLines(metrics.render());
    expect(lines.map((line) => line.split(/[ {]/)[0])).toContain("process_resident_memory_bytes");
    expect(lines.find((line) => line.startsWith("process_resident"))).not.toMatch(/ 0 /);
  });
});
