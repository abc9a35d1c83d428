import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * Hash of all files right in some folders, by name and content. Of a mounted ConfigMap or Secret the plain names are
 * read: they lead through one link that kubelet turns at once, and its own entries start with two dots.
 * @throws Error when a folder or a file can't be read.
 */
export function contentOf(folders: readonly string[]): string {
  const hash = createHash("sha256");
  for (const folder of folders) {
    hash.update(`\0${folder}\0`);
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name);
      if (name.startsWith("..") || !statSync(path).isFile()) continue;
      hash.update(`${name}\0`).update(readFileSync(path)).update("\0");
    }
  }
  return hash.digest("hex").slice(0, 16);
}
