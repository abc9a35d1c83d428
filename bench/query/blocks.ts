/** A Prometheus' data folder from the data set's blocks, by hard links: no copy, and the originals stay as they are. */

import { linkSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

function linkTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkTree(source, target);
    else linkSync(source, target);
  }
}

/** Makes `target` anew with every block of `store`. */
export function linkBlocks(store: string, target: string): void {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const windows = join(store, "blocks");
  for (const window of readdirSync(windows)) linkTree(join(windows, window), target);
}
