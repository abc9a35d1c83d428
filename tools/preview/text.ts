/** A summary for a terminal. */

import { marksOf, type Group, type Summary } from "./summary";

const SIGNS: Readonly<Record<Group["action"], string>> = { create: "+", update: "~", replace: "+-", delete: "-" };

const RED = "\u001b[31;1m";
const PLAIN = "\u001b[0m";

function groupLines(group: Group): readonly string[] {
  const marks = marksOf(group);
  const mark = marks.length === 0 ? "" : `  [${marks.join(", ")}]`;
  const head = `  ${SIGNS[group.action].padEnd(2)} ${group.kind} ${group.names.join(", ")}${mark}`;
  return [head, ...group.details.map((line) => `       ${line}`)];
}

/** The summary as lines; `inColor` writes what is dangerous in red. */
export function summaryText(summary: Summary, inColor: boolean): string {
  const red = (lines: readonly string[], isDanger: boolean): readonly string[] =>
    isDanger && inColor ? lines.map((line) => `${RED}${line}${PLAIN}`) : lines;
  const sections = summary.sections.flatMap((section) => [
    "",
    ...red(
      [
        `${section.title}:`,
        ...section.groups.flatMap(groupLines),
        ...section.lines.map((line) => `  ${line.replaceAll("\n", "\n  ")}`),
      ],
      section.isDanger,
    ),
  ]);
  const lines = [
    summary.title,
    ...red([summary.verdict], summary.isDanger),
    ...sections,
    ...(summary.unchanged === undefined ? [] : ["", `${String(summary.unchanged)} resources stay as they are`]),
  ];
  return `${lines.join("\n")}\n`;
}
