/** Own metrics as Prometheus text. No registry of packages: a counter, a gauge and a histogram are all that is needed. */

export type Labels = Readonly<Record<string, string>>;

interface Metric {
  readonly lines: () => readonly string[];
}

/** Seconds; from a push to a hub on the same node to one that runs into its timeout. */
export const latencyBuckets: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** All metrics of a process, in the order of their registration. */
export class Metrics {
  readonly #metrics: Metric[] = [];

  counter(name: string, help: string): Counter {
    return this.#add(new Counter(name, help, "counter"));
  }

  gauge(name: string, help: string): Counter {
    return this.#add(new Counter(name, help, "gauge"));
  }

  histogram(name: string, help: string, buckets: readonly number[] = latencyBuckets): Histogram {
    return this.#add(new Histogram(name, help, buckets));
  }

  /** Memory, CPU time, start time of the process, under the names that client libraries use. */
  addProcess(): void {
    const memory = this.gauge("process_resident_memory_bytes", "Resident memory size in bytes.");
    const cpu = this.counter("process_cpu_seconds_total", "User and system CPU time in seconds.");
    const start = this.gauge("process_start_time_seconds", "Start time since the epoch in seconds.");
    start.set(Date.now() / 1000 - process.uptime());
    this.onRender(() => {
      memory.set(process.memoryUsage.rss());
      const { user, system } = process.cpuUsage();
      cpu.set((user + system) / 1e6);
    });
  }

  /** Calls `set` before everything else is rendered: for gauges that are looked up rather than kept up. */
  onRender(set: () => void): void {
    this.#metrics.unshift({
      lines: () => {
        set();
        return [];
      },
    });
  }

  /** Everything in the text format 0.0.4. */
  render(): string {
    return this.#metrics.flatMap((metric) => metric.lines().map((line) => `${line}\n`)).join("");
  }

  #add<M extends Metric>(metric: M): M {
    this.#metrics.push(metric);
    return metric;
  }
}

/** A number per label set: counted up, or set (gauge, or a counter kept elsewhere). */
export class Counter implements Metric {
  readonly #values = new Map<string, number>();

  constructor(
    readonly name: string,
    readonly help: string,
    readonly type: "counter" | "gauge",
  ) {}

  add(amount: number, labels: Labels = {}): void {
    const key = labelText(labels);
    this.#values.set(key, (this.#values.get(key) ?? 0) + amount);
  }

  set(value: number, labels: Labels = {}): void {
    this.#values.set(labelText(labels), value);
  }

  /** Forgets a label set. */
  delete(labels: Labels): void {
    this.#values.delete(labelText(labels));
  }

  /** The number for a label set; 0 when it was never touched. */
  value(labels: Labels = {}): number {
    return this.#values.get(labelText(labels)) ?? 0;
  }

  lines(): readonly string[] {
    const samples = [...this.#values].map(([labels, value]) => `${this.name}${braces(labels)} ${String(value)}`);
    return [...head(this.name, this.help, this.type), ...samples];
  }
}

interface Distribution {
  readonly counts: number[];
  sum: number;
  count: number;
}

/** Classic histogram per label set. */
export class Histogram implements Metric {
  readonly #values = new Map<string, Distribution>();

  constructor(
    readonly name: string,
    readonly help: string,
    readonly buckets: readonly number[],
  ) {}

  observe(value: number, labels: Labels = {}): void {
    const key = labelText(labels);
    let entry = this.#values.get(key);
    if (entry === undefined) {
      entry = { counts: this.buckets.map(() => 0), sum: 0, count: 0 };
      this.#values.set(key, entry);
    }
    const bucket = this.buckets.findIndex((bound) => value <= bound);
    if (bucket >= 0) entry.counts[bucket] = (entry.counts[bucket] ?? 0) + 1;
    entry.sum += value;
    entry.count += 1;
  }

  lines(): readonly string[] {
    const lines = [...head(this.name, this.help, "histogram")];
    for (const [labels, { counts, sum, count }] of this.#values) {
      const separator = labels === "" ? "" : ",";
      let below = 0;
      this.buckets.forEach((bound, at) => {
        below += counts[at] ?? 0;
        lines.push(`${this.name}_bucket{${labels}${separator}le="${String(bound)}"} ${String(below)}`);
      });
      lines.push(`${this.name}_bucket{${labels}${separator}le="+Inf"} ${String(count)}`);
      lines.push(
        `${this.name}_sum${braces(labels)} ${String(sum)}`,
        `${this.name}_count${braces(labels)} ${String(count)}`,
      );
    }
    return lines;
  }
}

function head(name: string, help: string, type: string): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function braces(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (one) => (one === "\n" ? "\\n" : `\\${one}`))}"`)
    .join(",");
}
