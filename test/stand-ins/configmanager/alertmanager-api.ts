import { readFileSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { dump, load } from "js-yaml";
import { z } from "zod";
import { HttpError, jsonOf, reload, serverOf, type Call, type Reply } from "./http";

/**
 * A TEST PART: stands in for the image facebookincubator/alertmanager-configurer:1.0.4 where it can't be had, as its
 * documentation says for the API v1. The whole file is written in place before the reload, and fields that it does not
 * know are lost. Missing: API v0 and the templates.
 */

interface AlertRoute {
  receiver?: string | undefined;
  group_by?: string[] | undefined;
  match?: Record<string, string> | undefined;
  match_re?: Record<string, string> | undefined;
  continue?: boolean | undefined;
  routes?: AlertRoute[] | undefined;
  group_wait?: string | undefined;
  group_interval?: string | undefined;
  repeat_interval?: string | undefined;
}

const matches = z.record(z.string(), z.string()).optional();
const routeSchema: z.ZodType<AlertRoute> = z.object({
  receiver: z.string().optional(),
  group_by: z.array(z.string()).optional(),
  match: matches,
  match_re: matches,
  continue: z.boolean().optional(),
  routes: z.array(z.lazy(() => routeSchema)).optional(),
  group_wait: z.string().optional(),
  group_interval: z.string().optional(),
  repeat_interval: z.string().optional(),
});
const notifiers = z.array(z.record(z.string(), z.unknown())).optional();
const receiverSchema = z.object({
  name: z.string(),
  slack_configs: notifiers,
  webhook_configs: notifiers,
  email_configs: notifiers,
  pagerduty_configs: notifiers,
  pushover_configs: notifiers,
});
type Receiver = z.infer<typeof receiverSchema>;
const globalSchema = z.record(z.string(), z.unknown());
const configSchema = z.object({
  global: globalSchema.optional(),
  route: routeSchema.optional(),
  inhibit_rules: z.array(z.unknown()).optional(),
  receivers: z.array(receiverSchema).optional(),
  templates: z.array(z.string()).default([]),
});
type AlertConfig = z.infer<typeof configSchema>;

/** What the flags of the same names say. */
export interface AlertmanagerApiOptions {
  readonly conf: string;
  readonly alertmanagerURL: string;
  readonly multitenantLabel: string;
  readonly deleteRoutes: boolean;
}

const BASE = "tenant_base_route";

function body<T>(schema: z.ZodType<T>, call: Call, status = 400): T {
  const result = schema.safeParse(jsonOf(call.body, status));
  if (result.success) return result.data;
  throw new HttpError(status, `error unmarshalling payload: ${z.prettifyError(result.error)}`);
}

function receiversIn(route: AlertRoute | undefined): readonly string[] {
  if (route === undefined) return [];
  const own = route.receiver === undefined ? [] : [route.receiver];
  return [...own, ...(route.routes ?? []).flatMap(receiversIn)];
}

/** The tree with other names for its receivers. */
function renamed(route: AlertRoute, rename: (receiver: string) => string): AlertRoute {
  return {
    ...route,
    ...(route.receiver === undefined ? {} : { receiver: rename(route.receiver) }),
    ...(route.routes === undefined ? {} : { routes: route.routes.map((each) => renamed(each, rename)) }),
  };
}

function withoutReceiver(routes: readonly AlertRoute[], receiver: string): AlertRoute[] {
  return routes
    .filter((route) => route.receiver !== receiver)
    .map((route) =>
      route.routes === undefined ? route : { ...route, routes: withoutReceiver(route.routes, receiver) },
    );
}

function validate(config: AlertConfig): void {
  const names = (config.receivers ?? []).map(({ name }) => name);
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) !== index) throw new HttpError(400, `notification config name "${name}" is not unique`);
  }
  for (const receiver of receiversIn(config.route)) {
    if (!names.includes(receiver)) throw new HttpError(400, `undefined receiver "${receiver}" used in route`);
  }
}

/** The stand-in's server. */
export function alertmanagerApi({
  conf,
  alertmanagerURL,
  multitenantLabel,
  deleteRoutes,
}: AlertmanagerApiOptions): Server {
  const read = (): AlertConfig => configSchema.parse(load(readFileSync(conf, "utf8")));
  const changed = async (config: AlertConfig): Promise<Reply> => {
    validate(config);
    writeFileSync(conf, dump(config, { noRefs: true, lineWidth: -1 }), { mode: 0o660 });
    await reload(alertmanagerURL, "alertmanager");
    return { status: 200 };
  };
  const tenantOf = ({ params }: Call): string => params["tenant"] ?? "";
  const secured = (call: Call, name: string): string => `${tenantOf(call)}_${name}`;
  const unsecured = (call: Call, name: string): string =>
    name.startsWith(`${tenantOf(call)}_`) ? name.slice(tenantOf(call).length + 1) : name;
  const receiversOf = (call: Call): readonly Receiver[] =>
    (read().receivers ?? [])
      .filter(({ name }) => name.startsWith(`${tenantOf(call)}_`) && name !== secured(call, BASE))
      .map((receiver) => ({ ...receiver, name: unsecured(call, receiver.name) }));

  const createReceiver = (call: Call): Promise<Reply> => {
    const receiver = body(receiverSchema, call, 500);
    const config = read();
    const put = { ...receiver, name: secured(call, receiver.name) };
    return changed({ ...config, receivers: [...(config.receivers ?? []), put] });
  };
  const getReceiver = (call: Call): Reply => {
    const { name = "" } = call.params;
    const found = receiversOf(call).find((receiver) => receiver.name === name);
    if (found === undefined) throw new HttpError(400, `Receiver ${name} not found`);
    return { status: 200, json: found };
  };
  const putReceiver = (call: Call): Promise<Reply> => {
    const receiver = body(receiverSchema, call);
    const old = secured(call, call.params["name"] ?? "");
    const put = { ...receiver, name: secured(call, receiver.name) };
    const config = read();
    const receivers = config.receivers ?? [];
    if (!receivers.some(({ name }) => name === old)) throw new HttpError(400, `Receiver '${put.name}' not found`);
    return changed({ ...config, receivers: receivers.map((each) => (each.name === old ? put : each)) });
  };
  const deleteReceiver = (call: Call): Promise<Reply> => {
    const { name = "" } = call.params;
    const full = secured(call, name);
    const config = read();
    const receivers = config.receivers ?? [];
    if (!receivers.some((each) => each.name === full)) throw new HttpError(400, `receiver '${name}' does not exist`);
    if (!deleteRoutes && receiversIn(config.route).includes(full)) {
      throw new HttpError(400, `receiver '${name}' referenced in route`);
    }
    const routes = withoutReceiver(config.route?.routes ?? [], full);
    return changed({
      ...config,
      receivers: receivers.filter((each) => each.name !== full),
      ...(config.route === undefined ? {} : { route: { ...config.route, routes } }),
    });
  };
  const getRoute = (call: Call): Reply => {
    const base = secured(call, BASE);
    const found = read().route?.routes?.find(({ receiver }) => receiver === base);
    if (found === undefined) throw new HttpError(400, `Route for tenant ${tenantOf(call)} does not exist`);
    return { status: 200, json: renamed(found, (name) => (name.endsWith(BASE) ? name : unsecured(call, name))) };
  };
  const postRoute = (call: Call): Promise<Reply> => {
    const route = body(routeSchema, call);
    const base = secured(call, BASE);
    if (route.receiver !== base) {
      throw new HttpError(400, `route base receiver is incorrect (should be "${base}")`);
    }
    const config = read();
    const put: AlertRoute = {
      ...route,
      match: { ...route.match, ...(multitenantLabel === "" ? {} : { [multitenantLabel]: tenantOf(call) }) },
      routes: (route.routes ?? []).map((child) => renamed(child, (name) => secured(call, name))),
    };
    const receivers = config.receivers ?? [];
    const others = (config.route?.routes ?? []).filter(({ receiver }) => receiver !== base);
    return changed({
      ...config,
      receivers: receivers.some(({ name }) => name === base) ? receivers : [...receivers, { name: base }],
      route: { ...config.route, routes: [...others, put] },
    });
  };
  const tenants = (): Reply => ({
    status: 200,
    json: (read().receivers ?? [])
      .filter(({ name }) => name.endsWith(`_${BASE}`))
      .map(({ name }) => name.slice(0, -(BASE.length + 1))),
  });
  const tenancy = { restrictor_label: multitenantLabel, restrict_queries: false };
  return serverOf([
    { method: "GET", path: "/", handle: () => ({ status: 200, text: "Alertmanager Config server" }) },
    { method: "GET", path: "/v1/tenants", handle: tenants },
    { method: "GET", path: "/v1/tenancy", handle: () => ({ status: 200, json: tenancy }) },
    { method: "GET", path: "/v1/global", handle: () => ({ status: 200, json: read().global ?? null }) },
    {
      method: "POST",
      path: "/v1/global",
      handle: (call) => changed({ ...read(), global: body(globalSchema, call) }),
    },
    { method: "POST", path: "/v1/:tenant/receiver", handle: createReceiver },
    { method: "GET", path: "/v1/:tenant/receiver", handle: (call) => ({ status: 200, json: receiversOf(call) }) },
    { method: "GET", path: "/v1/:tenant/receiver/:name", handle: getReceiver },
    { method: "PUT", path: "/v1/:tenant/receiver/:name", handle: putReceiver },
    { method: "DELETE", path: "/v1/:tenant/receiver/:name", handle: deleteReceiver },
    { method: "GET", path: "/v1/:tenant/route", handle: getRoute },
    { method: "POST", path: "/v1/:tenant/route", handle: postRoute },
  ]);
}
