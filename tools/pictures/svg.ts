/** Small pictures of boxes and arrows as SVG: no tool is needed to make them, and a change shows as a diff. */

/** How a box is drawn: what stands there, what is new, what changes, what goes, what is there by choice only. */
export type Look = "plain" | "new" | "changed" | "gone" | "optional";

/** A box; its size follows from its text. */
export interface Box {
  readonly id: string;
  /** Column and row of its centre; a fraction stands between two of them. */
  readonly column: number;
  readonly row: number;
  readonly title: string;
  readonly lines: readonly string[];
  readonly look?: Look;
}

/** An arrow from one box to another, in the direction in which samples or alerts go. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly look?: Look;
}

/** Boxes and arrows under one heading. */
export interface Panel {
  readonly heading: string;
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
  /** Below the boxes. */
  readonly notes: readonly string[];
}

/** A whole picture; panels stand side by side. */
export interface Picture {
  /** What somebody hears who can't see it. */
  readonly description: string;
  readonly panels: readonly Panel[];
}

/** A rectangle, in pixels from the upper left corner. */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Where a box stands. */
export interface Placed extends Area {
  readonly box: Box;
}

interface PlacedPanel extends Area {
  readonly panel: Panel;
  readonly boxes: readonly Placed[];
}

const FONT = { title: 13, line: 12, heading: 14 } as const;
/** Mean widths of a character in ems: those of DejaVu Sans, wider than the fonts that browsers choose first. */
const EM = { bold: 0.66, plain: 0.56 } as const;
const LINE_HEIGHT = 17;
const PADDING = { x: 10, y: 9 } as const;
const GAP = { column: 26, row: 22, panel: 36 } as const;
const MARGIN = 16;
const HEADING_HEIGHT = 32;

/** Widest that a text gets, in pixels. */
export function textWidth(text: string, kind: keyof typeof FONT): number {
  return Math.ceil(text.length * FONT[kind] * (kind === "line" ? EM.plain : EM.bold));
}

function sizeOf({ title, lines }: Box): { readonly width: number; readonly height: number } {
  const widest = Math.max(textWidth(title, "title"), ...lines.map((line) => textWidth(line, "line")));
  return { width: widest + 2 * PADDING.x, height: (1 + lines.length) * LINE_HEIGHT + 2 * PADDING.y };
}

/** Centres of columns or rows whose members have these sizes. */
function centres(sizes: readonly (readonly [position: number, size: number])[], gap: number): readonly number[] {
  const last = Math.floor(Math.max(...sizes.map(([position]) => position)));
  const found: number[] = [];
  let edge = 0;
  for (let index = 0; index <= last; index++) {
    const size = Math.max(0, ...sizes.filter(([position]) => position === index).map(([, each]) => each));
    found.push(edge + size / 2);
    edge += size + gap;
  }
  return found;
}

function at(list: readonly number[], position: number): number {
  const [low, high] = [list[Math.floor(position)] ?? 0, list[Math.ceil(position)] ?? 0];
  return low + (high - low) * (position - Math.floor(position));
}

function placePanel(panel: Panel, left: number): PlacedPanel {
  // Boxes of a column are equally wide.
  const width = (column: number): number =>
    Math.max(...panel.boxes.filter((box) => box.column === column).map((box) => sizeOf(box).width));
  const sized = panel.boxes.map((box) => ({ box, width: width(box.column), height: sizeOf(box).height }));
  const columns = centres(
    sized.map(({ box, width }) => [box.column, width]),
    GAP.column,
  );
  const rows = centres(
    sized.map(({ box, height }) => [box.row, height]),
    GAP.row,
  );
  const top = MARGIN + (panel.heading === "" ? 0 : HEADING_HEIGHT);
  const boxes = sized.map(({ box, width, height }) => ({
    box,
    width,
    height,
    left: left + at(columns, box.column) - width / 2,
    top: top + at(rows, box.row) - height / 2,
  }));
  const right = Math.max(...boxes.map((each) => each.left + each.width));
  const bottom = Math.max(...boxes.map((each) => each.top + each.height));
  const texts = [textWidth(panel.heading, "heading"), ...panel.notes.map((note) => textWidth(note, "line"))];
  const notes = panel.notes.length === 0 ? 0 : GAP.row / 2 + panel.notes.length * LINE_HEIGHT;
  return {
    panel,
    boxes,
    left,
    top: MARGIN,
    width: Math.max(right - left, ...texts),
    height: bottom + notes - MARGIN,
  };
}

/** Where everything stands. */
export function place(picture: Picture): { readonly panels: readonly PlacedPanel[]; readonly size: Area } {
  const panels: PlacedPanel[] = [];
  let left = MARGIN;
  for (const panel of picture.panels) {
    const placed = placePanel(panel, left);
    panels.push(placed);
    left += placed.width + GAP.panel;
  }
  const height = Math.max(...panels.map((each) => each.top + each.height)) + MARGIN;
  return { panels, size: { left: 0, top: 0, width: left - GAP.panel + MARGIN, height } };
}

/** Both ends of an arrow: from edge to edge, sideways between columns, and up or down within one. */
export function ends(from: Area, to: Area): readonly [x1: number, y1: number, x2: number, y2: number] {
  const middle = (area: Area): readonly [number, number] => [area.left + area.width / 2, area.top + area.height / 2];
  const [[fromX, fromY], [toX, toY]] = [middle(from), middle(to)];
  if (to.left >= from.left + from.width) return [from.left + from.width, fromY, to.left - 2, toY];
  if (from.left >= to.left + to.width) return [from.left, fromY, to.left + to.width + 2, toY];
  return toY > fromY
    ? [fromX, from.top + from.height, toX, to.top - 2]
    : [fromX, from.top, toX, to.top + to.height + 2];
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function text(kind: string, x: number, y: number, content: string): string {
  return `<text class="${kind}" x="${String(x)}" y="${String(y)}">${escaped(content)}</text>`;
}

function boxLines({ box, left, top, width, height }: Placed): readonly string[] {
  const middle = left + width / 2;
  const baseline = (index: number): number => top + PADDING.y + 13 + index * LINE_HEIGHT;
  return [
    `<rect class="${box.look ?? "plain"}" x="${String(left)}" y="${String(top)}" width="${String(width)}" height="${String(height)}" rx="6"/>`,
    text("title", middle, baseline(0), box.title),
    ...box.lines.map((line, index) => text("line", middle, baseline(index + 1), line)),
  ];
}

function arrowLine(boxes: readonly Placed[], { from, to, look }: Arrow): string {
  const find = (id: string): Placed => {
    const found = boxes.find(({ box }) => box.id === id);
    if (found === undefined) throw new Error(`no box ${id}`);
    return found;
  };
  const [x1, y1, x2, y2] = ends(find(from), find(to)).map(String);
  return `<line class="${look ?? "plain"}" x1="${x1 ?? ""}" y1="${y1 ?? ""}" x2="${x2 ?? ""}" y2="${y2 ?? ""}" marker-end="url(#head)"/>`;
}

function panelLines(placed: PlacedPanel): readonly string[] {
  const { panel, boxes, left } = placed;
  const below = Math.max(...boxes.map((each) => each.top + each.height)) + GAP.row / 2;
  return [
    ...(panel.heading === "" ? [] : [text("heading", left, MARGIN + FONT.heading, panel.heading)]),
    ...panel.arrows.map((arrow) => arrowLine(boxes, arrow)),
    ...boxes.flatMap(boxLines),
    ...panel.notes.map((note, index) => text("note", left, below + 13 + index * LINE_HEIGHT, note)),
  ];
}

/** With a ground of its own, so that it can be read on any page; dark where the reader's system is. */
const STYLE = `
text { font-family: system-ui, "Segoe UI", "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; fill: #1f2328; font-size: ${String(FONT.line)}px }
.title, .line { text-anchor: middle }
.title { font-weight: 600; font-size: ${String(FONT.title)}px }
.heading { font-weight: 600; font-size: ${String(FONT.heading)}px }
.ground { fill: #ffffff; stroke: #d1d9e0 }
rect { fill: #eef2f6; stroke: #6e7781 }
rect.new { fill: #dafbe1; stroke: #1a7f37; stroke-width: 2 }
rect.changed { fill: #fff3c4; stroke: #9a6700 }
rect.gone, rect.optional { fill: none; stroke-dasharray: 5 4 }
line { stroke: #57606a; stroke-width: 1.4 }
line.new { stroke: #1a7f37; stroke-width: 2 }
line.optional { stroke-dasharray: 5 4 }
#head path { fill: #57606a }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.ground { fill: #0d1117; stroke: #3d444d }
rect { fill: #1c2430; stroke: #8b949e }
rect.new { fill: #12361f; stroke: #3fb950 }
rect.changed { fill: #3a2d06; stroke: #d29922 }
line { stroke: #9198a1 }
line.new { stroke: #3fb950 }
#head path { fill: #9198a1 }
}
`;

/** The picture as the text of an SVG file. */
export function svg(picture: Picture): string {
  const { panels, size } = place(picture);
  const [width, height] = [String(size.width), String(size.height)];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(picture.description)}</title>`,
    `<style>${STYLE}</style>`,
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8Z"/></marker></defs>',
    `<rect class="ground" x="0.5" y="0.5" width="${String(size.width - 1)}" height="${String(size.height - 1)}" rx="8"/>`,
    ...panels.flatMap(panelLines),
    "</svg>",
    "",
  ].join("\n");
}
