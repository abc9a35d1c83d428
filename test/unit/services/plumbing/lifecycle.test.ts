import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { GrpcServer } from "../../../../services/plumbing/grpc-server";
import { closeServer, listen } from "../../../../services/plumbing/lifecycle";
import { destroySockets } from "../../../../services/plumbing/open-sockets";
import { eventually } from "../http-helpers";

const anyPort = { host: "127.0.0.1", port: 0 };
let tls: { readonly cert: Buffer; readonly key: Buffer };
const clients: Socket[] = [];

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), "lifecycle-"));
  const [cert, key] = [join(folder, "tls.crt"), join(folder, "tls.key")];
  const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert];
  execFileSync("openssl", ["req", "-x509", ...made, "-subj", "/CN=test", "-days", "2"], { stdio: "ignore" });
  tls = { cert: readFileSync(cert), key: readFileSync(key) };
  rmSync(folder, { recursive: true });
});
afterEach(() => clients.splice(0).forEach((client) => client.destroy()));

/** A connection that says nothing, once the server has it. */
async function silent(server: Server | TlsServer | GrpcServer["server"], port: number): Promise<Socket> {
  const accepted = new Promise((resolve) => server.once("connection", resolve));
  const client = connect(port, "127.0.0.1");
  client.on("error", () => undefined);
  clients.push(client);
  await accepted;
  return client;
}

/** Milliseconds that `close` takes. */
async function timeOf(close: Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await close;
  return performance.now() - startedAt;
}

describe("a server that closes while a client has connected and says nothing", () => {
  it.each([
    ["HTTP", () => createServer()],
    ["HTTPS: no TLS handshake", () => createTlsServer(tls)],
  ])("is closed at its limit: %s", { timeout: 10_000 }, async (_, make) => {
    const server = make();
    await silent(server, await listen(server, anyPort));
    expect(await timeOf(closeServer(server, 100))).toBeLessThan(5_000);
  });

  it.each([
    ["HTTP/2", () => new GrpcServer(new Map())],
    ["HTTP/2 with TLS: no handshake", () => new GrpcServer(new Map(), { tls })],
  ])("is closed at its limit: %s", { timeout: 10_000 }, async (_, make) => {
    const grpc = make();
    await silent(grpc.server, await listen(grpc.server, anyPort));
    expect(await timeOf(grpc.close(100))).toBeLessThan(5_000);
  });
});

describe("connections that have ended", () => {
  it("are forgotten, with TLS too", async () => {
    const server = createTlsServer(tls);
    const port = await listen(server, anyPort);
    const client = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
    clients.push(client);
    const ended = new Promise<void>((resolve) => {
      server.once("connection", (socket: Socket) => socket.once("close", () => resolve()));
    });
    await new Promise((resolve) => client.once("secureConnect", resolve));
    client.destroy();
    await ended;
    await eventually(() => destroySockets(server) === 0);
    await closeServer(server, 100);
  });
});
