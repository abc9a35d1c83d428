import { describe, expect, test } from "vitest";
import { pictures } from "../../../tools/pictures/pictures";
import { ends, place, svg, textWidth, type Area } from "../../../tools/pictures/svg";

const overlap = (left: Area, right: Area): boolean =>
  left.left < right.left + right.width &&
  right.left < left.left + left.width &&
  left.top < right.top + right.height &&
  right.top < left.top + left.height;

/** Points of a line, close to each other. */
function points([x1, y1, x2, y2]: readonly [number, number, number, number]): readonly Area[] {
  return Array.from({ length: 101 }, (_, at) => ({
    left: x1 + ((x2 - x1) * at) / 100,
    top: y1 + ((y2 - y1) * at) / 100,
    width: 1,
    height: 1,
  }));
}

describe.each(Object.entries(pictures))("%s", (_name, picture) => {
  const { panels, size } = place(picture);

  test("boxes hold their texts, stay inside and apart", () => {
    for (const { boxes } of panels) {
      for (const [index, each] of boxes.entries()) {
        const widest = Math.max(
          textWidth(each.box.title, "title"),
          ...each.box.lines.map((line) => textWidth(line, "line")),
        );
        expect(widest, each.box.id).toBeLessThan(each.width);
        expect(each.left, each.box.id).toBeGreaterThan(0);
        expect(each.left + each.width, each.box.id).toBeLessThan(size.width);
        expect(each.top + each.height, each.box.id).toBeLessThan(size.height);
        expect(boxes.slice(index + 1).filter((other) => overlap(each, other))).toEqual([]);
      }
    }
    expect(panels.flatMap((each, index) => panels.slice(index + 1).filter((other) => overlap(each, other)))).toEqual(
      [],
    );
  });

  test("no arrow runs through a box", () => {
    for (const { panel, boxes } of panels) {
      for (const { from, to } of panel.arrows) {
        const [start, end] = [from, to].map((id) => boxes.find(({ box }) => box.id === id));
        if (start === undefined || end === undefined) throw new Error(`${from} -> ${to}`);
        const others = boxes.filter((each) => each !== start && each !== end);
        const line = points(ends(start, end));
        const hit = others.filter((each) => line.some((point) => overlap(point, each)));
        expect(
          hit.map(({ box }) => box.id),
          `${from} -> ${to}`,
        ).toEqual([]);
      }
    }
  });

  test("is narrow enough for a page, and says what it shows", () => {
    expect(size.width).toBeLessThan(1_020);
    expect(svg(picture)).toContain("<title>");
  });
});
