import type { Violation } from "./violation";

/** Content of alertmanager.yaml: the user's, or the smallest valid one: alerts are shown and silenced, nobody is notified. */
export function alertmanagerConfig(config: Readonly<Record<string, unknown>> | undefined): object {
  return config ?? { route: { receiver: "none" }, receivers: [{ name: "none" }] };
}

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

const ROOT = "alertmanager.config";

/**
 * What would keep Alertmanager from starting, as far as structure tells: routes that lead nowhere.
 * Values are left out, because the config may hold secrets.
 */
export function alertmanagerViolations(config: unknown): readonly Violation[] {
  const content = fields(config);
  if (content === undefined) return [];
  const found: Violation[] = [];
  const report = (path: string, rule: string, fix: string, value?: unknown) => {
    found.push({ path: `${ROOT}.${path}`, value, rule, fix });
  };
  const receivers = list(content["receivers"]).map((receiver) => fields(receiver)?.["name"]);
  receivers.forEach((name, index) => {
    const path = `receivers[${String(index)}].name`;
    if (typeof name !== "string" || name === "") report(path, "every receiver has a name", "name it");
    else if (receivers.indexOf(name) !== index) report(path, "names of receivers differ", "rename one", name);
  });
  const route = fields(content["route"]);
  if (route === undefined || typeof route["receiver"] !== "string") {
    report("route.receiver", "the first route names a receiver, which gets what no other route takes", "add it");
  }
  const follow = (path: string, each: unknown): void => {
    const own = fields(each);
    const receiver = own?.["receiver"];
    if (receiver !== undefined && !receivers.includes(receiver)) {
      report(`${path}.receiver`, "one of the receivers' names", "add the receiver, or correct the name", receiver);
    }
    list(own?.["routes"]).forEach((below, index) => {
      follow(`${path}.routes[${String(index)}]`, below);
    });
  };
  follow("route", content["route"]);
  return found;
}
