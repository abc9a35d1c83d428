import { createHash } from "node:crypto";

/** First 10 hexadecimal digits of the SHA-256 of a file's name and text. */
export function contentHash(files: Readonly<Record<string, string>>): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(files).sort()) hash.update(`${name}\0${files[name] ?? ""}\0`);
  return hash.digest("hex").slice(0, 10);
}

/** `exporter-1a2b3c4d5e`: a name that changes with the content, so that pods roll and the old map stays until they have. */
export function contentName(prefix: string, files: Readonly<Record<string, string>>): string {
  return `${prefix}-${contentHash(files)}`;
}
