/** A summary for a pull request. */

import { marksOf, type Group, type Summary } from "./summary";

const SIGNS: Readonly<Record<Group["action"], string>> = { create: "+", update: "!", replace: "-", delete: "-" };

const WORDS: Readonly<Record<Group["action"], string>> = {
  create: "add",
  update: "change",
  replace: "replace",
  delete: "delete",
};

/** Lines of a `diff` block, in which GitHub writes deletions and replacements in red. */
function groupLines(group: Group): readonly string[] {
  const marks = marksOf(group);
  const mark = marks.length === 0 ? "" : `  [${marks.join(", ")}]`;
  const sign = SIGNS[group.action];
  return [
    `${sign} ${WORDS[group.action]} ${group.kind} ${group.names.join(", ")}${mark}`,
    ...group.details.map((line) => `${group.holdsData ? sign : " "}     ${line}`),
  ];
}

/** A line that can't end the block it stands in. */
function inBlock(line: string): string {
  return line.replaceAll("```", "'''");
}

/** The summary as GitHub's Markdown. */
export function summaryMarkdown(summary: Summary): string {
  const verdict = summary.isDanger ? `> [!CAUTION]\n> **${summary.verdict}**` : summary.verdict;
  const sections = summary.sections.map((section) => {
    const blocks: string[] = [];
    if (section.groups.length > 0) {
      blocks.push(["```diff", ...section.groups.flatMap(groupLines).map(inBlock), "```"].join("\n"));
    }
    if (section.lines.length > 0) {
      blocks.push(section.lines.map((line) => `- ${line.replaceAll(/\s*\n\s*/g, " ")}`).join("\n"));
    }
    return [`### ${section.title}`, ...blocks].join("\n\n");
  });
  const end = summary.unchanged === undefined ? [] : [`${String(summary.unchanged)} resources stay as they are.`];
  return `${[`## ${summary.title}`, verdict, ...sections, ...end].join("\n\n")}\n`;
}
