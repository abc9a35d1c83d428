#!/usr/bin/env node
// Stands in for kubectl port-forward: notes its arguments and process in FAKE_LOG, and serves what a pod would.
const { appendFileSync, existsSync, rmSync } = require("node:fs");
const { createServer } = require("node:http");

const args = process.argv.slice(2);
const log = (entry) => appendFileSync(process.env.FAKE_LOG, `${JSON.stringify({ pid: process.pid, ...entry })}\n`);
log({ args });
const failOnce = process.env.FAKE_FAIL_ONCE;
if (failOnce && existsSync(failOnce)) {
  rmSync(failOnce);
  process.stderr.write("error: unable to forward port because pod is not running. Current status=Pending\n");
  process.exit(1);
}
if (process.env.FAKE_NEVER) {
  process.stderr.write('Error from server (NotFound): services "query" not found\n');
  process.exit(1);
}
const port = Number(args.at(-1).split(":")[0]);
const server = createServer((request, response) => {
  if (request.url === "/die") process.exit(1);
  if (request.url === "/lost") process.stderr.write("E1122 portforward.go:394 error: lost connection to pod\n");
  response.end(`pod ${process.pid}`);
});
server.listen(port, "127.0.0.1", () => {
  process.stdout.write(`Forwarding from 127.0.0.1:${port} -> 9090\n`);
});
