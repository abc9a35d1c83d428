import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const ROOT = join(__dirname, "..", "..", "..");

/** A page of the repository, in parts. */
export interface Page {
  /** Relative to the repository. */
  readonly path: string;
  /** Without code blocks and code spans. */
  readonly prose: string;
  /** Code blocks and code spans, one each. */
  readonly code: readonly string[];
  /** What `#...` of a link may name. */
  readonly anchors: ReadonlySet<string>;
}

const BLOCK = /^(`{3,})[^\n]*\n(.*?)^\1\s*$/gms;
const SPAN = /`([^`\n]+)`/g;

/** The anchor that GitHub gives to a heading. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-");
}

/** Takes a page apart. */
export function parsePage(path: string, text: string): Page {
  const withoutBlocks = text.replaceAll(BLOCK, "");
  const blocks = [...text.matchAll(BLOCK)].map((match) => match[2] ?? "");
  const spans = [...withoutBlocks.matchAll(SPAN)].map((match) => match[1] ?? "");
  const headings = [...withoutBlocks.matchAll(/^#{1,6} (.+)$/gm)].map((match) => match[1] ?? "");
  return {
    path,
    prose: withoutBlocks.replaceAll(SPAN, "code"),
    code: [...blocks, ...spans],
    anchors: new Set(headings.map(anchorOf)),
  };
}

/** Where the links and pictures of a page lead, as they are written. */
export function linksOf({ prose }: Page): readonly string[] {
  const found = [/\]\(([^)\s]+)[^)]*\)/g, /^\[[^\]]+\]:\s*(\S+)/gm, /\b(?:src|srcset|href)="([^"]+)"/g];
  return found.flatMap((pattern) => [...prose.matchAll(pattern)].map((match) => match[1] ?? ""));
}

function markdownIn(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md") && !name.includes("node_modules"))
    .map((name) => join(folder, name));
}

/** Every page that people read. */
export function pages(): readonly Page[] {
  const top = readdirSync(ROOT).filter((name) => name.endsWith(".md"));
  const all = [...top, ...["docs", "services", "policies", "bench"].flatMap(markdownIn)];
  return all.sort().map((path) => parsePage(relative(ROOT, join(ROOT, path)), readFileSync(join(ROOT, path), "utf8")));
}
