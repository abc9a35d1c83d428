import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { z } from "zod";

const repository = join(__dirname, "../..");
/** Its go.mod pins what the hub is built from, stubs and gRPC library included. */
const group = join(repository, "local/go/edge-hub");
const source = join(repository, "test/stand-ins/magma-client/main.go");

const resultSchema = z.object({ code: z.string(), message: z.string(), bytes: z.number(), seconds: z.number() });

/** What a push of the stock client came to: the status code's name in Go (`OK`, `InvalidArgument`). */
export type StockResult = z.output<typeof resultSchema>;

/** Whether Go is here to build the stock client. */
export function hasGo(): boolean {
  return spawnSync("go", ["version"]).status === 0;
}

/** Builds magma-client with the modules that the edge hub itself is pinned to. */
export function buildStockClient(folder: string): string {
  const path = join(folder, "magma-client");
  const env = { ...process.env, GOPROXY: "off", GOFLAGS: "" };
  execFileSync("go", ["build", "-o", path, source], {
    cwd: group,
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
  return path;
}

/** Runs it once; `client` is its path, or a command and what goes before the path, such as nsenter. */
export function stockPush(client: string, ...args: readonly string[]): StockResult {
  const output = execFileSync(client, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  return resultSchema.parse(JSON.parse(output));
}
