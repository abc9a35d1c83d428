import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { MountedFiles } from "../plumbing/mounted-files";
import { parseTokens, type Tokens } from "./bearer";

/** A certificate with its key, as the push ports use them. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
  /** When the certificate ends, in seconds since the epoch. */
  readonly notAfter: number;
}

/** Certificate and key in a mounted Secret of the type kubernetes.io/tls. @throws Error */
export function tlsFiles(folder: string, interval?: number): MountedFiles<TlsPair> {
  return new MountedFiles({
    what: "TLS certificate",
    paths: [join(folder, "tls.crt"), join(folder, "tls.key")],
    parse: ([cert = "", key = ""]) => {
      // Throws when one of them is broken, or when they do not belong together.
      createSecureContext({ cert, key });
      return { cert, key, notAfter: Date.parse(new X509Certificate(cert).validTo) / 1000 };
    },
    ...(interval === undefined ? {} : { interval }),
  });
}

/** Tokens in a mounted Secret: one a line of the file. @throws Error */
export function tokenFile(path: string, interval?: number): MountedFiles<Tokens> {
  return new MountedFiles({
    what: "bearer tokens",
    paths: [path],
    parse: ([text = ""]) => parseTokens(text),
    ...(interval === undefined ? {} : { interval }),
  });
}
