import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { dump, load } from "js-yaml";
import { z } from "zod";
import { formatDuration, parseDuration } from "../../../model/durations";
import { HttpError, jsonOf, reload, serverOf, type Call, type Reply } from "./http";
import { checkExpression, restricted } from "./restrict";

/**
 * A TEST PART: stands in for the image facebookincubator/prometheus-configurer:1.0.4 where it can't be had. It behaves
 * as that program's documentation and tests say for the API v1, traps included: a rule is written BEFORE the reload, so
 * that after a failed one it stays and a second try is refused; files are written in place; fields that it does not know
 * are lost; recording rules have no name for it, so that a tenant can add one only. Missing: API v0.
 */

const text = z.record(z.string(), z.string());
const ruleSchema = z.object({
  record: z.string().optional(),
  alert: z.string().optional(),
  expr: z.string().default(""),
  for: z.string().optional(),
  labels: text.optional(),
  annotations: text.optional(),
});
type Rule = z.infer<typeof ruleSchema>;
const fileSchema = z.object({ groups: z.array(z.object({ name: z.string(), rules: z.array(ruleSchema) })).min(1) });

/** What the flags of the same names say. */
export interface RuleApiOptions {
  readonly rulesDir: string;
  readonly prometheusURL: string;
  readonly multitenantLabel: string;
  readonly restrictQueries: boolean;
}

const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

function parsed(value: unknown): Rule {
  const result = ruleSchema.safeParse(value);
  if (!result.success) throw new HttpError(400, `error unmarshalling payload: ${z.prettifyError(result.error)}`);
  const { for: duration, ...rule } = result.data;
  if (duration === undefined || duration === "") return rule;
  const milliseconds = parseDuration(duration);
  if (milliseconds === undefined) throw new HttpError(400, `not a valid duration string: "${duration}"`);
  return { ...rule, for: formatDuration(milliseconds) };
}

function validate(rule: Rule): void {
  const problems: string[] = [];
  const { record = "", alert = "", labels = {}, annotations = {} } = rule;
  if (record !== "" && alert !== "") problems.push("only one of 'record' and 'alert' must be set");
  if (record === "" && alert === "") problems.push("one of 'record' or 'alert' must be set");
  if (record !== "" && Object.keys(annotations).length > 0) {
    problems.push("invalid field 'annotations' in recording rule");
  }
  if (record !== "" && !METRIC.test(record)) problems.push(`invalid recording rule name: ${record}`);
  for (const name of Object.keys(labels)) {
    if (!LABEL.test(name) || name === "__name__") problems.push(`invalid label name: ${name}`);
  }
  for (const name of Object.keys(annotations)) {
    if (!LABEL.test(name)) problems.push(`invalid annotation name: ${name}`);
  }
  if (problems.length > 0) throw new HttpError(400, `Rule Validation Error; ${problems.join("; ")}`);
  checkExpression(rule.expr);
}

/** The stand-in's server. */
export function ruleApi(options: RuleApiOptions): Server {
  const { rulesDir, prometheusURL, multitenantLabel, restrictQueries } = options;
  const pathOf = (tenant: string): string => join(rulesDir, `${tenant}_rules.yml`);
  const rulesOf = (tenant: string): readonly Rule[] =>
    existsSync(pathOf(tenant))
      ? (fileSchema.parse(load(readFileSync(pathOf(tenant), "utf8"))).groups[0]?.rules ?? [])
      : [];
  const store = (tenant: string, rules: readonly Rule[]): void => {
    // In place, as upstream does: readers may see half of it.
    writeFileSync(pathOf(tenant), dump({ groups: [{ name: tenant, rules }] }, { noRefs: true, lineWidth: -1 }));
  };
  const secured = (tenant: string, rule: Rule): Rule => ({
    ...rule,
    expr: restrictQueries ? restricted(rule.expr, multitenantLabel, tenant) : rule.expr,
    labels: { ...rule.labels, [multitenantLabel]: tenant },
  });
  const nameOf = (rule: Rule): string => rule.alert ?? "";
  const tenantOf = ({ params }: Call): string => {
    const { tenant = "" } = params;
    if (tenant === "") throw new HttpError(400, "Must provide tenant_id parameter");
    return tenant;
  };
  const reloaded = async (reply: Reply): Promise<Reply> => {
    await reload(prometheusURL, "prometheus");
    return reply;
  };
  const shown = (rule: Rule): object => ({ ...rule, for: rule.for ?? "0s" });

  const create = async (call: Call): Promise<Reply> => {
    const [tenant, rule] = [tenantOf(call), parsed(jsonOf(call.body))];
    validate(rule);
    const rules = rulesOf(tenant);
    if (rules.some((each) => nameOf(each) === nameOf(rule))) {
      throw new HttpError(400, `Rule '${nameOf(rule)}' already exists`);
    }
    store(tenant, [...rules, secured(tenant, rule)]);
    return reloaded({ status: 200 });
  };
  const list = (call: Call): Reply => {
    const rules = rulesOf(tenantOf(call));
    const wanted = call.query.get("alert_name") ?? "";
    if (wanted === "" || !existsSync(pathOf(tenantOf(call)))) return { status: 200, json: rules.map(shown) };
    const found = rules.find((rule) => nameOf(rule) === wanted);
    if (found === undefined) throw new HttpError(500, `rule ${wanted} not found`);
    return { status: 200, json: [shown(found)] };
  };
  const update = async (call: Call): Promise<Reply> => {
    const [tenant, { name = "" }] = [tenantOf(call), call.params];
    const rules = rulesOf(tenant);
    if (!rules.some((rule) => nameOf(rule) === name)) throw new HttpError(400, `Rule '${name}' does not exist`);
    const rule = parsed(jsonOf(call.body));
    validate(rule);
    if (!rules.some((each) => nameOf(each) === nameOf(rule))) {
      throw new HttpError(500, `rule ${nameOf(rule)} does not exist`);
    }
    const put = secured(tenant, rule);
    store(
      tenant,
      rules.map((each) => (nameOf(each) === nameOf(rule) ? put : each)),
    );
    return reloaded({ status: 204 });
  };
  const remove = async (call: Call): Promise<Reply> => {
    const [tenant, { name = "" }] = [tenantOf(call), call.params];
    const rules = rulesOf(tenant);
    if (!existsSync(pathOf(tenant)) || !rules.some((rule) => nameOf(rule) === name)) {
      throw new HttpError(500, `alert with name ${name} not found`);
    }
    store(
      tenant,
      rules.filter((rule) => nameOf(rule) !== name),
    );
    return reloaded({ status: 204 });
  };
  const bulk = async (call: Call): Promise<Reply> => {
    const tenant = tenantOf(call);
    const body = jsonOf(call.body);
    if (!Array.isArray(body)) throw new HttpError(400, "error unmarshalling payload: it is no list");
    const given = body.map(parsed);
    given.forEach(validate);
    let rules = rulesOf(tenant);
    const statuses: Record<string, string> = {};
    for (const rule of given) {
      const put = secured(tenant, rule);
      const exists = rules.some((each) => nameOf(each) === nameOf(rule));
      rules = exists ? rules.map((each) => (nameOf(each) === nameOf(rule) ? put : each)) : [...rules, put];
      statuses[nameOf(rule)] = exists ? "updated" : "created";
    }
    store(tenant, rules);
    return reloaded({ status: 200, json: { Errors: {}, Statuses: statuses } });
  };
  const tenancy = { restrictor_label: multitenantLabel, restrict_queries: restrictQueries };
  return serverOf([
    { method: "GET", path: "/", handle: () => ({ status: 200, text: "Prometheus Config server" }) },
    { method: "GET", path: "/v1/tenancy", handle: () => ({ status: 200, json: tenancy }) },
    { method: "POST", path: "/v1/:tenant/alert/bulk", handle: bulk },
    { method: "POST", path: "/v1/:tenant/alert", handle: create },
    { method: "GET", path: "/v1/:tenant/alert", handle: list },
    // Upstream looks for the name in the query only, so that this lists all.
    { method: "GET", path: "/v1/:tenant/alert/:name", handle: list },
    { method: "PUT", path: "/v1/:tenant/alert/:name", handle: update },
    { method: "DELETE", path: "/v1/:tenant/alert/:name", handle: remove },
  ]);
}
