import { toYaml } from "../kit/yaml";
import { formatDuration, milliseconds } from "../../model/durations";
import { PIPELINE_LABELS } from "../../model/names";
import type { Rule, RuleFile, RuleGroup } from "./rule-file";
import { twoLevels, type TwoLevels } from "./sharded";

/** Rule files as text by name. */
export type RuleTexts = Readonly<Record<string, string>>;

/** When rules are evaluated. */
export interface RuleTimes {
  /** Of groups without an interval of their own, in Prometheus' notation. */
  readonly interval: string;
  /** How long all groups lag, in Prometheus' notation. */
  readonly queryOffset: string;
}

/** End of the name of the Ruler's group that puts sharded rules together. */
const COMBINED_GROUP = ":sharded";

/** A shard, by the labels of everything that is evaluated on it. */
export interface RuleShard {
  readonly clusterLabel: string;
  readonly shard: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** The files of the one Prometheus of the single size: all rules, the sharded ones as what they stand for. */
export function singleRules(files: readonly RuleFile[], shard: RuleShard): RuleTexts {
  return texts(files, (group) => [
    groupFields(
      group,
      group.rules.map((rule) => plainRule(rule, ownLabels(shard))),
    ),
  ]);
}

/** The files of a shard's Prometheus in sharded sizes: only the shard's parts of sharded rules. */
export function shardRules(files: readonly RuleFile[], shard: RuleShard): RuleTexts {
  return texts(files, (group) => {
    const parts = group.rules.filter(({ isSharded }) => isSharded).flatMap((rule) => levelsOf(rule).parts);
    const rules = parts.map(({ record, expr }) => ({ record, expr, labels: ownLabels(shard) }));
    // The group's own labels are for the result, which the Ruler makes.
    return rules.length === 0 ? [] : [groupFields({ ...group, labels: {} }, rules)];
  });
}

/**
 * The files of the Ruler: all rules, the sharded ones as what puts the shards' parts together. Those are groups of their
 * own that lag one interval more, so that every shard has evaluated its part of the same moment.
 */
export function rulerRules(files: readonly RuleFile[], times: RuleTimes): RuleTexts {
  return texts(files, (group) => {
    const plain = group.rules.filter(({ isSharded }) => !isSharded);
    const sharded = group.rules.filter(({ isSharded }) => isSharded);
    const combined = sharded.map((rule) => plainRule({ ...rule, expr: levelsOf(rule).expr }, {}));
    const lag = milliseconds(group.queryOffset ?? times.queryOffset) + milliseconds(group.interval ?? times.interval);
    return [
      ...(plain.length === 0
        ? []
        : [
            groupFields(
              group,
              plain.map((rule) => plainRule(rule, {})),
            ),
          ]),
      ...(combined.length === 0
        ? []
        : [
            groupFields(
              { ...group, name: `${group.name}${COMBINED_GROUP}`, queryOffset: formatDuration(lag) },
              combined,
            ),
          ]),
    ];
  });
}

function ownLabels({ clusterLabel, shard }: RuleShard): Readonly<Record<string, string>> {
  return { [PIPELINE_LABELS.cluster]: clusterLabel, [PIPELINE_LABELS.shard]: String(shard) };
}

function texts(files: readonly RuleFile[], groupsOf: (group: RuleGroup) => readonly Fields[]): RuleTexts {
  const entries = files.flatMap(({ name, groups }) => {
    const generated = groups.flatMap((group) => groupsOf(group));
    return generated.length === 0 ? [] : [[name, toYaml({ groups: generated })] as const];
  });
  return Object.fromEntries(entries);
}

function groupFields(group: RuleGroup, rules: readonly Fields[]): Fields {
  return {
    name: group.name,
    ...(group.interval === undefined ? {} : { interval: group.interval }),
    ...(group.queryOffset === undefined ? {} : { query_offset: group.queryOffset }),
    ...(group.limit === undefined ? {} : { limit: group.limit }),
    ...(Object.keys(group.labels).length === 0 ? {} : { labels: group.labels }),
    rules,
  };
}

function plainRule(rule: Rule, own: Readonly<Record<string, string>>): Fields {
  const labels = { ...rule.labels, ...own };
  return {
    [rule.kind]: rule.name,
    expr: rule.expr,
    ...(rule.for === undefined ? {} : { for: rule.for }),
    ...(rule.keepFiringFor === undefined ? {} : { keep_firing_for: rule.keepFiringFor }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(Object.keys(rule.annotations).length === 0 ? {} : { annotations: rule.annotations }),
  };
}

/** Reading the files has refused every rule that can't be split. */
function levelsOf(rule: Rule): TwoLevels {
  const levels = twoLevels(rule.name, rule.expr);
  if ("reason" in levels) throw new Error(`${rule.name} can't be evaluated shard by shard: ${levels.reason}`);
  return levels;
}
