/**
 * Stand-ins for the hubs, a process of its own: takes every push with 200 and counts what each held. Started by
 * `startSinks`; its arguments are shards and replicas. Answers `GET /tallies` on its last port.
 */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { LineCounter, type Tally } from "./checksum";

/** Tallies by shard, each by replica. */
export type Tallies = readonly (readonly Tally[])[];

const batchNumber = Buffer.from("pipeline_push_batch{");

function sink(tally: Tally): Server {
  return createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    const counter = new LineCounter(tally, batchNumber);
    request.on("data", (chunk: Buffer) => counter.add(chunk));
    request.on("end", () => response.writeHead(counter.isWhole ? 200 : 400).end());
  });
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function main(): Promise<void> {
  const [shards = 0, replicas = 0] = process.argv.slice(2).map(Number);
  const tallies: Tallies = Array.from({ length: shards }, () =>
    Array.from({ length: replicas }, () => ({ lines: 0, checksum: 0 })),
  );
  const ports: number[] = [];
  for (const tally of tallies.flat()) ports.push(await listening(sink(tally)));
  const control = createServer((_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(tallies));
  });
  ports.push(await listening(control));
  process.stdout.write(`${JSON.stringify(ports)}\n`);
}

if (require.main === module) {
  main().catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  });
}
