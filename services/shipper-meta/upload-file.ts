import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";

/** The file of a sidecar that has uploaded nothing: Thanos v0.42 pkg/shipper, `Meta`. */
const EMPTY = `${JSON.stringify({ version: 1, uploaded: [] })}\n`;

function isReadable(path: string): boolean {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, "utf8"));
    return typeof parsed === "object" && parsed !== null && "uploaded" in parsed && Array.isArray(parsed.uploaded);
  } catch {
    return false;
  }
}

/**
 * Makes sure that there is an upload file that Prometheus can read: without one it compacts blocks that are not
 * uploaded, and a sidecar never uploads those. An unreadable one is replaced, as the sidecar itself would do.
 * @returns whether it was written.
 */
export function ensureUploadFile(path: string): boolean {
  if (isReadable(path)) return false;
  const unfinished = `${path}.new`;
  const file = openSync(unfinished, "w", 0o644);
  try {
    writeSync(file, EMPTY);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(unfinished, path);
  return true;
}
