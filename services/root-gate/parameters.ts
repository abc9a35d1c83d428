import type { IncomingMessage } from "node:http";

/** Longest form, in bytes; Go's net/http reads as much. */
const longestForm = 10 * 1024 * 1024;

/** Base of request targets, which have no host of their own. */
const base = "http://root";

/** Why a request does not go to the root. */
export interface Refusal {
  readonly status: number;
  readonly errorType: string;
  readonly error: string;
}

/** A request that has been read to its end. */
export interface Read {
  /** Path and parameters as they came. */
  readonly target: string;
  readonly body: Buffer;
  readonly url: URL;
  /** Of the body; empty when that is no form. */
  readonly form: URLSearchParams;
}

/** The first value of a parameter; as in Go, the form's counts before the address's. */
export function firstOf({ form, url }: Read, name: string): string | undefined {
  return form.get(name) ?? url.searchParams.get(name) ?? undefined;
}

/** All values of a parameter. */
export function allOf({ form, url }: Read, name: string): readonly string[] {
  return [...form.getAll(name), ...url.searchParams.getAll(name)];
}

/** Reads a request with its form. Rejects when the client goes away meanwhile. */
export async function readParameters(request: IncomingMessage): Promise<Read | { readonly refusal: Refusal }> {
  const target = request.url ?? "";
  const type = (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  // The root would read one too, where nobody has looked at it.
  if (type.startsWith("multipart/")) {
    return refused(415, `content type ${type}: send the form as application/x-www-form-urlencoded`);
  }
  const body = request.method === "POST" ? await readForm(request) : Buffer.alloc(0);
  if (body === undefined) return refused(413, `the form is longer than ${String(longestForm)} bytes`);
  const form = new URLSearchParams(type === "application/x-www-form-urlencoded" ? body.toString() : "");
  return { target, body, url: new URL(target, base), form };
}

export function refused(status: number, error: string, errorType = "bad_data"): { readonly refusal: Refusal } {
  return { refusal: { status, errorType, error } };
}

/** The whole body; undefined when it is too long. Rejects when the client goes away meanwhile. */
async function readForm(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += (chunk as Buffer).length;
    if (length > longestForm) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
