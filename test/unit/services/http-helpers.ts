import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** A server on a free loopback port. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly close: () => Promise<void>;
}

export async function serve(server: Server, port = 0): Promise<TestServer> {
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const opened = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${String(opened)}`,
    port: opened,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** How a fake hub answers a push. */
export type HubMood = "ok" | "full" | "error" | "bad" | "hang" | "empty" | "redirect";

/** A hub that can be put in a mood. */
export class FakeHub {
  mood: HubMood = "ok";
  /** Pushes that it takes before it is full. */
  limit = Infinity;
  /** Bodies of pushes that were answered with 200. */
  readonly stored: string[] = [];
  pushes = 0;
  probes = 0;
  readonly sockets = new Set<Socket>();
  #server: TestServer | undefined;

  get url(): string {
    return this.#server?.url ?? "";
  }

  /** What was pushed, without the numbers of the writes. */
  get lines(): readonly string[] {
    return this.#all.filter((line) => !line.startsWith("pipeline_push_batch{"));
  }

  /** Numbers of the writes: exporter, number, timestamp. */
  get writes(): readonly (readonly [string, number, number])[] {
    return this.#all.flatMap((line) => {
      const [, exporter, number, timestamp] = /^pipeline_push_batch\{exporter="(.*)"\} (\d+) (\d+)$/.exec(line) ?? [];
      return exporter === undefined ? [] : [[exporter, Number(number), Number(timestamp)] as const];
    });
  }

  get #all(): readonly string[] {
    return this.stored.flatMap((body) => body.split("\n").filter((line) => line !== ""));
  }

  async start(port = 0): Promise<this> {
    const server = createServer((incoming, response) => void this.#answer(incoming, response));
    server.on("connection", (socket) => this.sockets.add(socket));
    this.#server = await serve(server, port);
    return this;
  }

  async stop(): Promise<void> {
    await this.#server?.close();
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(incoming);
    if (incoming.method === "GET" && incoming.url === "/") {
      this.probes += 1;
      response.end();
      return;
    }
    if (incoming.method !== "POST" || incoming.url !== "/metrics") {
      response.writeHead(599).end("the hub was touched where it must not be");
      return;
    }
    this.pushes += 1;
    switch (this.stored.length < this.limit ? this.mood : "full") {
      case "ok":
        this.stored.push(body);
        response.end();
        return;
      case "full":
        response.writeHead(406).end("Not accepting push of size 1. Would overfill hub limit of 1.\n");
        return;
      case "error":
        response.writeHead(500).end("oops");
        return;
      case "bad":
        response.writeHead(400).end("error parsing metrics");
        return;
      case "redirect":
        response.writeHead(302, { location: "/" }).end();
        return;
      case "empty":
        incoming.socket.destroy();
        return;
      case "hang":
        return;
    }
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends one request as it is told, path included (fetch would normalise it). */
export function send(
  base: string,
  method: string,
  path: string,
  options: { readonly body?: string | Buffer; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(base);
    const outgoing = request(
      { hostname, port, method, path, headers: options.headers ?? {}, agent: false },
      (incoming) => {
        textOf(incoming).then(
          (text) => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }),
          reject,
        );
      },
    );
    outgoing.on("error", reject);
    // Node announces no length for bodies of DELETE and OPTIONS by itself.
    const announced = options.headers?.["transfer-encoding"] ?? options.headers?.["content-length"];
    if (options.body !== undefined && announced === undefined) {
      outgoing.setHeader("content-length", Buffer.byteLength(options.body));
    }
    outgoing.end(options.body);
  });
}

export async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** Waits until `condition` holds, at most two seconds. */
export async function eventually(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 10) {
    if (waited > 2000) throw new Error("waited two seconds in vain");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
