import { existsSync } from "node:fs";
import { toolPath } from "../../../../local/toolchain/build";
import { checkerTools, workloadTools } from "../../../../local/toolchain/table";

function built(path: string): string | undefined {
  return existsSync(path) ? path : undefined;
}

function checker(name: string): string | undefined {
  const tool = checkerTools.find((each) => each.name === name);
  return tool === undefined ? undefined : built(toolPath(tool));
}

/** The real programs as the local cluster builds them, by name; undefined where they are not built yet. */
export const realTools = {
  promtool: checker("promtool"),
  amtool: checker("amtool"),
  prometheus: built(toolPath(workloadTools.prometheus)),
  thanos: built(toolPath(workloadTools.thanos)),
  alertmanager: built(toolPath(workloadTools.alertmanager)),
} as const;
