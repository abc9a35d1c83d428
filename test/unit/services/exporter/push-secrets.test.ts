import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseTokens } from "../../../../services/exporter/bearer";
import { createExporter, type Exporter } from "../../../../services/exporter/exporter";
import { tlsFiles, tokenFile } from "../../../../services/exporter/push-secrets";
import { grpcStatus } from "../../../../services/plumbing/grpc";
import { listen } from "../../../../services/plumbing/lifecycle";
import { GrpcClient } from "../grpc-client";
import { eventually, FakeHub, send, serve } from "../http-helpers";
import { exporterConfigOf } from "./exporter-config-of";
import { gauges } from "./families-of";

const now = 1_700_000_000_000;
const collect = "/grpc.MetricsController/Collect";
const anyPort = { host: "127.0.0.1", port: 0 };
const [oldToken, newToken] = ["old-token-0123456789", "new-token-0123456789"];

let certificates: string;
let folder: string;
let hub: FakeHub;
let exporter: Exporter | undefined;

/** A certificate for 127.0.0.1 with its key. */
function certify(name: string): void {
  const files = ["-keyout", join(certificates, `${name}.key`), "-out", join(certificates, `${name}.crt`)];
  const about = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  execFileSync("openssl", ["req", "-x509", ...key, ...files, ...about], { stdio: "ignore" });
}

function mount(name: string): void {
  copyFileSync(join(certificates, `${name}.key`), join(folder, "tls.key"));
  copyFileSync(join(certificates, `${name}.crt`), join(folder, "tls.crt"));
}

beforeAll(() => {
  certificates = mkdtempSync(join(tmpdir(), "exporter-certificates-"));
  ["first", "second"].forEach(certify);
});
afterAll(() => rmSync(certificates, { recursive: true, force: true }));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "exporter-secrets-"));
  mount("first");
  writeFileSync(join(folder, "token"), `${oldToken}\n`);
  hub = await new FakeHub().start();
});
afterEach(async () => {
  await exporter?.stop();
  exporter = undefined;
  await hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

function certificate(name: string): Buffer {
  return readFileSync(join(certificates, `${name}.crt`));
}

/** Who answers on a port: the common name of its certificate. */
function nameAt(port: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

function postTls(port: number, ca: Buffer, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, path: "/metrics", method: "POST", ca, headers, agent: false });
    outgoing.on("response", (incoming) => {
      incoming.resume();
      resolve(incoming.statusCode ?? 0);
    });
    outgoing.on("error", reject);
    outgoing.end("m 1\n");
  });
}

describe("TLS on the push ports", () => {
  it("is spoken over HTTP and gRPC, and a changed certificate is used without a restart", async () => {
    const tls = tlsFiles(folder, 10);
    const made = createExporter(exporterConfigOf([[hub.url]]), { now: () => now, tls });
    exporter = made;
    const [http, grpc] = [await listen(made.server, anyPort), await listen(made.grpc.server, anyPort)];
    expect(await postTls(http, certificate("first"))).toBe(200);
    await expect(postTls(http, certificate("second"))).rejects.toThrow("self-signed");
    const client = new GrpcClient(`https://127.0.0.1:${String(grpc)}`, { ca: certificate("first") });
    expect((await client.call(collect, gauges("m", now, [{}]))).status).toBe(grpcStatus.ok);
    expect(made.metrics.render()).toMatch(/\nexporter_tls_not_after_timestamp_seconds \d{10}\n/);

    mount("second");
    await eventually(() => tls.value.cert === certificate("second").toString());
    expect([await nameAt(http), await nameAt(grpc)]).toStrictEqual(["second", "second"]);
    expect(await postTls(http, certificate("second"))).toBe(200);
    // A connection that is there stays.
    expect((await client.call(collect, gauges("m", now + 1, [{}]))).status).toBe(grpcStatus.ok);
    client.close();
    made.server.close();
    await made.grpc.close(100);
  });

  it("keeps the certificate that it has while the new one can't be used, and shows that", async () => {
    const tls = tlsFiles(folder, 10);
    const made = createExporter(exporterConfigOf([[hub.url]]), { tls });
    exporter = made;
    const http = await listen(made.server, anyPort);
    writeFileSync(join(folder, "tls.key"), "not a key");
    await eventually(() => tls.isStale);
    expect(await nameAt(http)).toBe("first");
    expect(made.metrics.render()).toContain('exporter_push_secret_stale{secret="certificate"} 1\n');
    mount("first");
    await eventually(() => !tls.isStale);
    made.server.close();
  });

  it("does not begin with a key of another certificate", () => {
    copyFileSync(join(certificates, "second.key"), join(folder, "tls.key"));
    expect(() => tlsFiles(folder)).toThrow(/TLS certificate \(.*tls\.crt, .*tls\.key\): .*mismatch/);
    expect(() => tlsFiles(join(folder, "nowhere"))).toThrow("ENOENT");
  });
});

describe("bearer tokens", () => {
  it("are asked for before anything else, over HTTP and gRPC, and change without a restart", async () => {
    const tokens = tokenFile(join(folder, "token"), 10);
    const made = createExporter(exporterConfigOf([[hub.url]]), { now: () => now, tokens });
    exporter = made;
    const http = await serve(made.server);
    const client = new GrpcClient(`http://127.0.0.1:${String(await listen(made.grpc.server, anyPort))}`);
    const post = (authorization?: string) =>
      send(http.url, "POST", "/metrics", { body: "m 1\n", ...(authorization ? { headers: { authorization } } : {}) });
    const collected = async (headers: Readonly<Record<string, string>>) =>
      (await client.call(collect, gauges("m", now, [{}]), headers)).status;

    const answer = await post();
    expect([answer.status, answer.headers["www-authenticate"]]).toStrictEqual([401, "Bearer"]);
    for (const wrong of ["Bearer x", `Basic ${oldToken}`, `Bearer ${oldToken}x`, oldToken, "Bearer "]) {
      expect((await post(wrong)).status, wrong).toBe(401);
      expect(await collected({ authorization: wrong }), wrong).toBe(grpcStatus.unauthenticated);
    }
    expect(await collected({})).toBe(grpcStatus.unauthenticated);
    expect(hub.lines).toStrictEqual([]);
    expect((await post(`Bearer ${oldToken}`)).status).toBe(200);
    expect(await collected({ authorization: `bearer ${oldToken}` })).toBe(grpcStatus.ok);

    writeFileSync(join(folder, "token"), `${newToken}\n`);
    await eventually(() => tokens.value.length === 1 && !tokens.isStale && tokens.value[0] !== undefined);
    for (let status = 0; status !== 200;) status = (await post(`Bearer ${newToken}`)).status;
    expect((await post(`Bearer ${oldToken}`)).status).toBe(401);
    expect(made.metrics.pushes.value({ code: "401" })).toBeGreaterThan(10);
    client.close();
    await http.close();
    await made.grpc.close(100);
  });

  it("may be several, so that clients can change over", () => {
    expect(parseTokens(`${oldToken}\n\n ${newToken} \n`)).toHaveLength(2);
  });

  it("are refused when they are none or short, without showing them", () => {
    expect(() => parseTokens(" \n")).toThrow("holds no token");
    expect(() => parseTokens(`${oldToken}\nshort`)).toThrow("token 2 can't be used: a token has 16 to 512");
    expect(() => parseTokens("secret word")).toThrow(/^(?!.*secret)/);
  });
});
