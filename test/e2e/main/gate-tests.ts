import { z } from "zod";
import { expect, test } from "vitest";
import { passingRequests, refusedRequests, type GateRequest } from "../../fixtures/gate-requests";
import { NAMES, PORTS, prometheusName, serviceHost } from "../../../model/names";
import { kubectl } from "../../../tools/kubectl";
import { shardCount, stacks, type World } from "./world";

/** Runs in a pod: asks with raw paths (fetch would tidy them up) and prints the status codes; 0 = no answer. */
const script = `
const http = require("node:http");
const ask = ([host, port, method, path]) => new Promise((resolve) => {
  const request = http.request({ host, port, method, path, timeout: 5000 }, (response) => {
    response.resume();
    resolve(response.statusCode);
  });
  request.on("timeout", () => request.destroy(new Error("late")));
  request.on("error", () => resolve(0));
  request.end();
});
(async () => {
  const answers = [];
  for (const each of JSON.parse(process.argv[1])) answers.push(await ask(each));
  console.log(JSON.stringify(answers));
})();`;

async function statusesFromPod(
  host: string,
  port: number,
  requests: readonly GateRequest[],
): Promise<readonly number[]> {
  const asked = JSON.stringify(requests.map(([method, path]) => [host, port, method, path]));
  const target = { namespace: stacks.dev };
  const text = await kubectl(target, ["exec", `deployment/${NAMES.exporter}`, "--", "node", "-e", script, asked]);
  return z.array(z.number()).parse(JSON.parse(text));
}

const label = ([method, path]: GateRequest): string => `${method} ${path}`;

/** Tests of what other pods can do with a shard's Prometheus. */
export function gateTests(world: () => World): void {
  test("another pod can query a shard, but gets 403 for everything that could stop, change or fill it", async () => {
    expect(world().pipeline.namespace).toBe(stacks.dev);
    for (let shard = 0; shard < shardCount; shard++) {
      const host = serviceHost(prometheusName(shard, "a"), stacks.dev);
      const requests = [...refusedRequests, ...passingRequests];
      const statuses = await statusesFromPod(host, PORTS.gate, requests);
      const found = requests.map((request, index) => `${label(request)}: ${String(statuses[index])}`);
      expect(found).toEqual([
        ...refusedRequests.map((request) => `${label(request)}: 403`),
        ...passingRequests.map((request) => `${label(request)}: 200`),
      ]);
    }
  });

  test("Prometheus itself listens on loopback only: its own port does not answer from another pod", async () => {
    const host = serviceHost(prometheusName(0, "a"), stacks.dev);
    expect(await statusesFromPod(host, PORTS.prometheus, [["GET", "/-/ready"]])).toEqual([0]);
  });
}
