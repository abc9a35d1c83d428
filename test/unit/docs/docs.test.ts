import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { checkCommand } from "../../../tools/commands/check";
import { downCommand } from "../../../tools/commands/down";
import { feedCommand } from "../../../tools/commands/feed";
import { previewCommand } from "../../../tools/commands/preview";
import { queryCommand } from "../../../tools/commands/query";
import { statusCommand } from "../../../tools/commands/status";
import { upCommand } from "../../../tools/commands/up";
import { anchorOf, linksOf, pages, parsePage } from "./markdown";

const ROOT = join(__dirname, "..", "..", "..");

const all = pages();
const byPath = new Map(all.map((page) => [page.path, page]));

/** Targets of the Makefile. */
const targets = new Set(
  [...readFileSync(join(ROOT, "Makefile"), "utf8").matchAll(/^([a-z0-9-]+):/gm)].map((match) => match[1] ?? ""),
);

/** Commands that take ARGS, by their target. */
const commands = new Map([
  ["up", upCommand],
  ["down", downCommand],
  ["status", statusCommand],
  ["feed", feedCommand],
  ["feed-check", checkCommand],
  ["query", queryCommand],
  ["preview", previewCommand],
]);

test("the pages that must be there are looked at", () => {
  for (const path of ["README.md", "CONTRIBUTING.md", "docs/getting-started.md", "services/exporter/RING.md"]) {
    expect([...byPath.keys()]).toContain(path);
  }
});

describe.each(all.map((page) => [page.path, page] as const))("%s", (path, page) => {
  test("every relative link leads to a file, and its anchor to a heading of it", () => {
    const broken = linksOf(page)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [file = "", anchor] = link.split("#");
        const target = file === "" ? path : normalize(join(dirname(path), file));
        if (!existsSync(join(ROOT, target))) return true;
        const headings = byPath.get(target)?.anchors;
        return anchor !== undefined && headings !== undefined && !headings.has(anchor);
      });
    expect(broken).toEqual([]);
  });

  test("every make target that it names exists, and takes the flags that it is given", () => {
    const unknown = page.code.flatMap((code) =>
      [...code.matchAll(/\bmake ([a-z][a-z0-9-]*)(?:[^\n]*?\bARGS=(?:'([^']*)'|(\S+)))?/g)].flatMap((match) => {
        const [, target = "", quoted, plain] = match;
        if (!targets.has(target)) return [`make ${target}`];
        const flags = [...(quoted ?? plain ?? "").matchAll(/(?:^|\s)--([a-z-]+)/g)].map(([, flag = ""]) => flag);
        const known = { help: {}, ...commands.get(target)?.flags };
        return flags.filter((flag) => !(flag in known)).map((flag) => `make ${target} ARGS='--${flag}'`);
      }),
    );
    expect(unknown).toEqual([]);
  });
});

describe("the reader of pages", () => {
  const page = parsePage(
    "x.md",
    "# A `b`, c\n\n[l](d.md#e) `make up`\n\n```sh\nmake down [no](link.md)\n```\n[r]: f.md\n",
  );

  test("finds links in prose only", () => {
    expect(linksOf(page)).toEqual(["d.md#e", "f.md"]);
  });

  test("finds code in blocks and spans", () => {
    expect(page.code).toEqual(["make down [no](link.md)\n", "b", "make up"]);
  });

  test("knows the anchors of headings", () => {
    expect([...page.anchors]).toEqual(["a-b-c"]);
    expect(anchorOf("single -> sharded")).toBe("single---sharded");
  });
});
