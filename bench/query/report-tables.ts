/** The report's tables. */

import { figuresOfArm, type ArmFigures, type Measured } from "./figures";
import { ARM_TITLES, ARMS, type Arm } from "./options";
import { MAGMA_RANGES } from "./query-set";

/** A number with two decimals, or a dash. */
export function cell(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? "-" : value.toFixed(2);
}

const milliseconds = (seconds: number | undefined): string =>
  seconds === undefined ? "-" : String(Math.round(seconds * 1_000));
const kilobytes = (bytes: number | undefined): string => (bytes === undefined ? "-" : (bytes / 1_000).toFixed(1));
const ratio = (of: number | undefined, to: number | undefined): number | undefined =>
  of === undefined || to === undefined || to === 0 ? undefined : of / to;
/** Text in a table cell. */
const plain = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const code = (text: string): string => `\`${plain(text)}\``;

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "Nothing was measured.";
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Magma's ranges down, N across, and in each cell the arms' ratios. */
export function magmaTable(
  measured: readonly Measured[],
  shardCounts: readonly number[],
  value: (single: ArmFigures, arm: ArmFigures) => number | undefined,
  arms: readonly Arm[],
): string {
  const head = [
    "range",
    "one Prometheus, ms",
    ...shardCounts.map((n) => `N = ${String(n)}: ${arms.map((arm) => ARM_TITLES[arm]).join(" / ")}`),
  ];
  const rows = MAGMA_RANGES.flatMap(([label]) => {
    const found = measured.filter(({ query }) => query.magmaRange === label);
    if (found.length === 0) return [];
    const singles = found.flatMap((each) => figuresOfArm(each, "single")?.wall ?? []);
    const cells = shardCounts.map((n) => {
      const one = found.find(({ result }) => result.shards === n);
      if (one === undefined) return "-";
      const single = figuresOfArm(one, "single");
      return arms
        .map((arm) => {
          const figures = figuresOfArm(one, arm);
          return cell(single === undefined || figures === undefined ? undefined : value(single, figures));
        })
        .join(" / ");
    });
    return [[label, milliseconds(singles[0]), ...cells]];
  });
  return table(head, rows);
}

/** Every query on one N: ratios, then milliseconds. */
export function queriesTable(measured: readonly Measured[], shards: number): string {
  const rows = measured
    .filter(({ result }) => result.shards === shards)
    .map((each) => {
      const of = (arm: Arm): ArmFigures | undefined => figuresOfArm(each, arm);
      const [single, naive, leaf, direct, design] = [of("single"), of("naive"), of("leaf"), of("direct"), of("design")];
      return [
        each.query.name,
        each.query.pushed === true ? "yes" : "no",
        milliseconds(single?.wall),
        cell(ratio(single?.wall, naive?.critical)),
        cell(ratio(single?.wall, leaf?.critical)),
        cell(ratio(single?.wall, direct?.critical)),
        cell(ratio(single?.wall, design?.critical)),
        cell(ratio(single?.wall, naive?.wall)),
        cell(ratio(single?.wall, leaf?.wall)),
        cell(ratio(single?.wall, design?.wall)),
        cell(ratio(naive?.cpu, single?.cpu)),
        cell(ratio(leaf?.cpu, single?.cpu)),
        cell(ratio(design?.cpu, single?.cpu)),
        cell(ratio(design?.memory, single?.memory)),
        milliseconds(of("frontend")?.wall),
        cell(design?.spread),
      ];
    });
  const head = [
    "query",
    "pushed",
    "one Prometheus, ms",
    "critical: naive",
    "leaf",
    "direct",
    "**design**",
    "wall: naive",
    "leaf",
    "**design**",
    "CPU: naive",
    "leaf",
    "**design**",
    "memory: design",
    "frontend warm, ms",
    "spread",
  ];
  return table(head, rows);
}

/** Label values and series: cold and warm. */
export function variablesTable(measured: readonly Measured[], shardCounts: readonly number[]): string {
  const rows = shardCounts.flatMap((n) =>
    measured
      .filter(({ query, result }) => result.shards === n && (query.group === "variables" || query.group === "series"))
      .map((each) => [
        String(n),
        each.query.name,
        String(each.result.size),
        ...ARMS.map((arm) => milliseconds(figuresOfArm(each, arm)?.wall)),
      ]),
  );
  return table(["N", "what", "size", ...ARMS.map((arm) => ARM_TITLES[arm])], rows);
}

const PROGRAMS = ["gate", "root", "frontend", "adapter", "leaf", "sidecar", "prometheus"];

/** Who uses the CPU. */
export function cpuTable(measured: readonly Measured[], shards: number): string {
  const rows = measured
    .filter(({ result }) => result.shards === shards)
    .flatMap((each) =>
      (["single", "naive", "leaf", "direct", "design"] as const).flatMap((arm) => {
        const figures = figuresOfArm(each, arm);
        if (figures === undefined) return [];
        const seconds = (value: number | undefined): string => (value === undefined ? "-" : value.toFixed(3));
        const programs = PROGRAMS.map((program) => seconds(figures.cpuByProgram[program]));
        return [[each.query.name, ARM_TITLES[arm], seconds(figures.cpu), ...programs]];
      }),
    );
  return table(["query", "arm", "all", ...PROGRAMS], rows);
}

/** Bytes into the root, and memory. */
export function trafficTable(measured: readonly Measured[], shards: number): string {
  const rows = measured
    .filter(({ result }) => result.shards === shards)
    .map((each) => {
      const [naive, leaf, design] = (["naive", "leaf", "design"] as const).map((arm) => figuresOfArm(each, arm));
      const megabytes = (figures: ArmFigures | undefined): string =>
        figures === undefined ? "-" : String(Math.round(figures.memory / 1_000_000));
      return [
        each.query.name,
        kilobytes(naive?.rootRead),
        `${kilobytes(leaf?.grpcBytes)} / ${kilobytes(leaf?.rootRead)}`,
        `${kilobytes(design?.grpcBytes)} / ${kilobytes(design?.rootRead)}`,
        megabytes(figuresOfArm(each, "single")),
        megabytes(naive),
        megabytes(leaf),
        megabytes(design),
      ];
    });
  const head = [
    "query",
    "naive: read, kB",
    "leaf: answers / read, kB",
    "design: answers / read, kB",
    "memory, MB: one Prometheus",
    "naive",
    "leaf",
    "design",
  ];
  return table(head, rows);
}

/** The captured remote queries, and why some are not pushed. */
export function remoteTable(measured: readonly Measured[], shards: number): string {
  const rows = measured
    .filter(({ query, result }) => result.shards === shards && (query.magmaRange ?? "1h") === "1h")
    .map(({ query, result }) => [
      query.name,
      code(query.text),
      (result.arms.design?.remote ?? []).slice(0, 4).map(code).join("<br>"),
      query.pushed === true ? "" : plain(`not pushed: ${query.pushed.because}`),
    ]);
  return table(["query", "text", "sent to each shard", ""], rows);
}

/** What went wrong. */
export function differences(measured: readonly Measured[]): string {
  const rows = measured.flatMap(({ query, result }) =>
    Object.entries(result.arms).flatMap(([arm, { error, difference, noParts }]) =>
      (
        [
          ["no answer", error],
          ["differs", difference],
          ["no critical path", noParts],
        ] as const
      ).flatMap(([kind, reason]) =>
        reason === undefined
          ? []
          : [[String(result.shards), query.name, ARM_TITLES[arm as Arm], kind, plain(reason.slice(0, 300))]],
      ),
    ),
  );
  return rows.length === 0 ? "None." : table(["N", "query", "arm", "what", "reason"], rows);
}
