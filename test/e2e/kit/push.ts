import { Agent, request } from "node:http";
import { z } from "zod";

/** What the exporter answered. */
export interface PushAnswer {
  readonly status: number;
  readonly text: string;
}

/** A request to the exporter; POST /metrics with a text body unless it says otherwise. */
export interface PushRequest {
  readonly method?: string;
  readonly path?: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

/** Sends one request, once; a connection that breaks before an answer is an error. */
export function send(url: string, { method = "POST", path = "/metrics", body = "", headers = {} }: PushRequest) {
  const bytes = Buffer.from(body as string);
  return new Promise<PushAnswer>((resolve, reject) => {
    let answered = false;
    const outgoing = request(
      `${url}${path}`,
      {
        method,
        agent,
        headers: { "content-type": "text/plain; version=0.0.4", "content-length": bytes.length, ...headers },
      },
      (incoming) => {
        answered = true;
        const chunks: Buffer[] = [];
        const finish = (): void =>
          resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("end", finish);
        // A server may answer before it has read everything, and close.
        incoming.on("error", finish);
      },
    );
    outgoing.setTimeout(60_000, () => outgoing.destroy(new Error("no answer within 60 s")));
    outgoing.on("error", (error) => {
      if (!answered) reject(error);
    });
    outgoing.end(bytes);
  });
}

const malformedSchema = z.strictObject({ line: z.number().int(), reason: z.string() });
const rejectedSchema = z.strictObject({
  accepted: z.number().int(),
  rejected: z.array(malformedSchema),
  moreRejected: z.number().int().optional(),
});

/** What the 400 for a malformed body says. */
export type Malformed = z.infer<typeof malformedSchema>;

/** What the 400 for samples out of bounds says. */
export type Rejected = z.infer<typeof rejectedSchema>;

function parsed<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Line and reason of an answer that refuses the body as a whole. */
export function malformedOf({ status, text }: PushAnswer): Malformed | undefined {
  return status === 400 ? parsed(malformedSchema, text) : undefined;
}

/** What an answer that refuses single samples lists. */
export function rejectedOf({ status, text }: PushAnswer): Rejected | undefined {
  return status === 400 ? parsed(rejectedSchema, text) : undefined;
}
