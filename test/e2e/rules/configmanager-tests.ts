import { expect, test } from "vitest";
import { NAMES, PORTS } from "../../../model/names";
import { kubectl } from "../../../tools/kubectl";
import { PortForward } from "../../../tools/port-forward";
import { until } from "../kit/wait";
import { TenantApi } from "./configmanager";
import { evaluationSeconds, scrapeSeconds, stacks, type World } from "./world";

/** The `networkID` of half of the pushed series. */
const TENANT = "tenant-a";

/** True over both shards only: each has one series of this tenant. */
const ALERT = { alert: "TenantSpansShards", expr: "count(e2e_tenant) > 1", labels: { severity: "page" } };

const rulers = ["ruler-0", "ruler-1"] as const;

async function withApi<T>(stack: string, use: (api: TenantApi) => Promise<T>): Promise<T> {
  const resource = `pod/${NAMES.configManager}-0`;
  const tunnel = await PortForward.open({ target: { namespace: stack }, resource, remotePort: PORTS.configManager });
  try {
    return await use(new TenantApi(tunnel.url, TENANT));
  } finally {
    await tunnel.close();
  }
}

/** Deletes a pod and waits until its successor is ready. */
async function restart(namespace: string, pod: string): Promise<void> {
  await kubectl({ namespace }, ["delete", "pod", pod, "--wait=true", "--timeout=60s"]);
  await until(`the new ${pod}`, { seconds: 60 }, async () => {
    await kubectl({ namespace }, ["wait", "--for=condition=Ready", `pod/${pod}`, "--timeout=5s"]);
    return true;
  });
}

/** Tests of prometheus-configmanager in the sharded sizes; after the others, which know of no rule of its. */
export function configManagerTests(world: () => World): void {
  test("a rule added over HTTP is evaluated by both Rulers within 30 s, over all shards and this tenant only", async () => {
    await world().startPushing(stacks.sharded);
    const startedAt = Date.now();
    const left = () => 30 - (Date.now() - startedAt) / 1_000;
    expect(await withApi(stacks.sharded, (api) => api.post("alert", ALERT))).toBe("200");
    // The answer comes after both have taken it.
    for (const ruler of rulers) {
      expect(await world().managedRulesOf(stacks.sharded, ruler)).toEqual([ALERT.alert]);
    }
    await until("its alert", { seconds: left() }, async () => {
      const labels = (await world().alerts(stacks.sharded)).map((alert) => alert.labels);
      return labels.some(({ alertname }) => alertname === ALERT.alert);
    });
    const found = (await world().alerts(stacks.sharded)).filter(({ labels }) => labels["alertname"] === ALERT.alert);
    expect(found.map(({ labels }) => labels)).toEqual([
      { alertname: ALERT.alert, severity: "page", networkID: TENANT },
    ]);
  });

  test("it survives a restart of the configmanager's pod, which goes on where it was", async () => {
    await restart(stacks.sharded, `${NAMES.configManager}-0`);
    expect(await withApi(stacks.sharded, (api) => api.rules())).toEqual([ALERT.alert]);
    for (const ruler of rulers) {
      expect(await world().managedRulesOf(stacks.sharded, ruler)).toEqual([ALERT.alert]);
    }
    const second = { alert: "Second", expr: "count(e2e_tenant) > 1000" };
    const wait = { seconds: 30 };
    // Consumers find the new pod by its name, which DNS may tell a moment late.
    const answers: string[] = [];
    await until("a second rule", wait, async () => {
      answers.push(await withApi(stacks.sharded, (api) => api.post("alert", second)));
      return (await withApi(stacks.sharded, (api) => api.rules())).length === 2;
    });
    for (const ruler of rulers) {
      await until(`both on ${ruler} (${answers.join()})`, wait, async () => {
        return (await world().managedRulesOf(stacks.sharded, ruler)).length === 2;
      });
    }
  });

  test("it survives a restart of a Ruler's pod: the rules are there when it is ready", async () => {
    await restart(stacks.sharded, "ruler-1");
    expect(await world().managedRulesOf(stacks.sharded, "ruler-1")).toEqual(["Second", ALERT.alert]);
    const seconds = 2 * evaluationSeconds + 3 * scrapeSeconds + 10;
    await until("its alert", { seconds }, async () => {
      return (await world().alerts(stacks.sharded)).some(({ labels }) => labels["alertname"] === ALERT.alert);
    });
  });

  test("a tenant's receiver and route over HTTP are in Alertmanager's configuration", async () => {
    const resource = `pod/${NAMES.alertmanager}-0`;
    const remotePort = PORTS.alertmanagerConfigurer;
    const tunnel = await PortForward.open({ target: { namespace: stacks.sharded }, resource, remotePort });
    try {
      const api = new TenantApi(tunnel.url, TENANT);
      expect(await api.post("receiver", { name: "ops" })).toBe("200");
      const base = `${TENANT}_tenant_base_route`;
      expect(await api.post("route", { receiver: base, routes: [{ receiver: "ops" }] })).toBe("200");
    } finally {
      await tunnel.close();
    }
    expect(await world().alertmanagerConfig(stacks.sharded)).toContain(`receiver: ${TENANT}_ops`);
  });
}
