import { join } from "node:path";
import { repositoryRoot } from "../../tools/paths";
import type { EchoWorkspace, Keys } from "./workspace";

/** A pull request to the stack prod. */
export interface PreviewCase {
  /** Name of the file in docs/previews. */
  readonly name: string;
  readonly changes: Keys;
  readonly exitCode: number;
}

/** Typical pull requests; `make fixtures` writes their previews. */
export const PREVIEW_CASES: readonly PreviewCase[] = [
  { name: "scale-up", changes: { serversCount: 5 }, exitCode: 0 },
  { name: "image-bump", changes: { images: { prometheus: "quay.io/prometheus/prometheus:v3.14.1" } }, exitCode: 0 },
  {
    name: "retention-change",
    changes: { retention: { single: "30d", sharded: "15d", raw: "365d", "5m": "365d", "1h": "365d" } },
    exitCode: 2,
  },
  { name: "storage-class-change", changes: { storage: { className: "io2", size: "200Gi" } }, exitCode: 2 },
  {
    name: "object-storage-off",
    // Retentions of the bucket apply only with one.
    changes: { objectStorage: undefined, retention: { single: "30d", sharded: "30d" } },
    exitCode: 2,
  },
];

/** Stacks of which everything that they deploy is listed in test/fixtures/inventory. */
export const INVENTORY_STACKS = ["prod-cluster", "prod"] as const;

export const inventoryFile = (stack: string): string =>
  join(repositoryRoot, "test", "fixtures", "inventory", `${stack}.json`);

export const previewFile = (name: string): string => join(repositoryRoot, "docs", "previews", `${name}.md`);

/** The text of an inventory's file. */
export async function inventoryText(workspace: EchoWorkspace, stack: string): Promise<string> {
  return `${JSON.stringify(await workspace.inventory(stack), null, 2)}\n`;
}

/** What the preview of a case prints, and its exit code. The stack's file is as before afterwards. */
export async function previewOf(
  workspace: EchoWorkspace,
  { changes }: PreviewCase,
): Promise<{ readonly text: string; readonly code: number; readonly problems: string }> {
  workspace.writeStack("prod", changes);
  try {
    const { stdout, stderr, code } = await workspace.tool(["preview", "prod", "--markdown"]);
    return { text: `${stdout}\n`, code, problems: stderr };
  } finally {
    workspace.writeStack("prod");
  }
}
