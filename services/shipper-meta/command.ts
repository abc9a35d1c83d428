import { flagHelp, readFlags, type Flag } from "../plumbing/args";
import { log } from "../plumbing/log";
import { ensureUploadFile } from "./upload-file";

const flags = { path: { help: "the sidecar's upload file" } } satisfies Record<string, Flag>;

export const shipperMetaHelp = `shipper-meta: makes an empty upload file where there is none, and ends\n${flagHelp(flags)}`;

/** Runs before Prometheus does, and ends. */
export function runShipperMeta(args: readonly string[]): Promise<void> {
  const values = readFlags(flags, args);
  if (values === undefined) process.stdout.write(shipperMetaHelp);
  else log("info", "upload file", { path: values.path, written: ensureUploadFile(values.path) });
  return Promise.resolve();
}
