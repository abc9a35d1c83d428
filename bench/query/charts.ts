/** Charts as SVG text: readable on light and dark pages, nothing but numbers and lines. */

/** One line of a chart, or one group of bars; undefined where there is nothing. */
export interface ChartSeries {
  readonly name: string;
  readonly values: readonly (number | undefined)[];
  /** A dashed line is a yardstick. */
  readonly isDashed?: boolean;
}

export interface Chart {
  readonly title: string;
  /** What the numbers are, beside the axis. */
  readonly unit: string;
  readonly categories: readonly string[];
  readonly series: readonly ChartSeries[];
  /** A horizontal line at this value. */
  readonly reference?: number;
}

const WIDTH = 760;
const HEIGHT = 380;
const PLOT = { left: 60, right: 560, top: 50, bottom: 330 } as const;
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#999999", "#000000"];

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const fixed = (value: number): string => value.toFixed(1);

/** A round number of axis steps that covers `largest`. */
export function axisSteps(largest: number): readonly number[] {
  const rough = Math.max(largest, 1e-9) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const count = Math.ceil(largest / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

interface Scale {
  readonly steps: readonly number[];
  y(value: number): number;
}

function scaleOf({ series, reference }: Chart): Scale {
  const values = series.flatMap(({ values: each }) => each).filter((value) => value !== undefined);
  const steps = axisSteps(Math.max(reference ?? 0, ...values));
  const top = steps.at(-1) ?? 1;
  return { steps, y: (value) => PLOT.bottom - ((PLOT.bottom - PLOT.top) * value) / (top === 0 ? 1 : top) };
}

function text(x: number, y: number, content: string, anchor: "start" | "middle" | "end", size = 12): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}" font-size="${String(size)}">${escaped(content)}</text>`;
}

function frame(chart: Chart, scale: Scale, content: readonly string[], categoryX: (index: number) => number): string {
  const grid = scale.steps.flatMap((step) => [
    `<line x1="${String(PLOT.left)}" x2="${String(PLOT.right)}" y1="${fixed(scale.y(step))}" y2="${fixed(scale.y(step))}" stroke="#ddd"/>`,
    text(PLOT.left - 8, scale.y(step) + 4, String(step), "end"),
  ]);
  const labels = chart.categories.map((category, index) =>
    text(categoryX(index), PLOT.bottom + 20, category, "middle", 11),
  );
  const legend = chart.series.flatMap(({ name, isDashed }, index) => {
    const y = PLOT.top + 10 + index * 20;
    return [
      `<line x1="${String(PLOT.right + 20)}" x2="${String(PLOT.right + 44)}" y1="${fixed(y)}" y2="${fixed(y)}" stroke="${colour(index)}" stroke-width="3"${dash(isDashed)}/>`,
      text(PLOT.right + 50, y + 4, name, "start"),
    ];
  });
  const reference =
    chart.reference === undefined
      ? []
      : [
          `<line x1="${String(PLOT.left)}" x2="${String(PLOT.right)}" y1="${fixed(scale.y(chart.reference))}" y2="${fixed(scale.y(chart.reference))}" stroke="#333" stroke-dasharray="2 3"/>`,
        ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(WIDTH)} ${String(HEIGHT)}" width="${String(WIDTH)}" height="${String(HEIGHT)}" font-family="sans-serif" fill="#222">`,
    `<rect width="${String(WIDTH)}" height="${String(HEIGHT)}" fill="#fff"/>`,
    text(PLOT.left, 24, chart.title, "start", 15),
    text(PLOT.left - 40, 42, chart.unit, "start", 11),
    ...grid,
    ...labels,
    ...reference,
    ...content,
    ...legend,
    "</svg>\n",
  ].join("\n");
}

const colour = (index: number): string => COLOURS[index % COLOURS.length] ?? "#000000";
const dash = (isDashed: boolean | undefined): string => (isDashed === true ? ' stroke-dasharray="6 4"' : "");

/** Lines over categories. A missing value is a gap. */
export function lineChart(chart: Chart): string {
  const scale = scaleOf(chart);
  const width = (PLOT.right - PLOT.left) / chart.categories.length;
  const x = (index: number): number => PLOT.left + width * (index + 0.5);
  const lines = chart.series.flatMap(({ values, isDashed }, index) => {
    let isDown = false;
    const path = values.map((value, position) => {
      if (value === undefined) {
        isDown = false;
        return "";
      }
      const command = isDown ? "L" : "M";
      isDown = true;
      return `${command}${fixed(x(position))} ${fixed(scale.y(value))}`;
    });
    const dots = values.flatMap((value, position) =>
      value === undefined
        ? []
        : [`<circle cx="${fixed(x(position))}" cy="${fixed(scale.y(value))}" r="3" fill="${colour(index)}"/>`],
    );
    const drawn = path.join("");
    return [`<path d="${drawn}" fill="none" stroke="${colour(index)}" stroke-width="2"${dash(isDashed)}/>`, ...dots];
  });
  return frame(chart, scale, lines, x);
}

/** Bars side by side in each category. */
export function barChart(chart: Chart): string {
  const scale = scaleOf(chart);
  const width = (PLOT.right - PLOT.left) / chart.categories.length;
  const bar = (width * 0.8) / Math.max(1, chart.series.length);
  const x = (index: number): number => PLOT.left + width * (index + 0.5);
  const bars = chart.series.flatMap(({ values }, index) =>
    values.flatMap((value, position) => {
      if (value === undefined) return [];
      const left = x(position) - width * 0.4 + bar * index;
      const height = PLOT.bottom - scale.y(value);
      return [
        `<rect x="${fixed(left)}" y="${fixed(scale.y(value))}" width="${fixed(bar)}" height="${fixed(height)}" fill="${colour(index)}"/>`,
      ];
    }),
  );
  return frame(chart, scale, bars, x);
}
