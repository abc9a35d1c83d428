import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { settings } from "../../../local/cluster/settings";
import { NAMES, PORTS } from "../../../model/names";
import { repositoryRoot } from "../../../tools/paths";
import { BackgroundCommand } from "../kit/command";
import type { FeedRoute } from "../kit/feed";
import { until } from "../kit/wait";
import { letters, stack } from "./world";

/** Goes before a command that shall run in the sealed node's network namespace. */
export const inNode = ["nsenter", `--net=/run/netns/${settings.networkNamespace}`] as const;
/** In the sealed node's own network namespace, where nothing else has it. */
const listen = "127.0.0.1:9700";

/** A controller on the node that hashes by itself (test/stand-ins/ring-controller), and how a feed pushes to it. */
export interface RingController {
  readonly route: FeedRoute;
  stop(): Promise<void>;
}

/** Builds it in `folder` and starts it. */
export async function startRingController(folder: string): Promise<RingController> {
  const program = join(folder, "ring-controller");
  // The standard library is all it needs: nothing may be fetched.
  const env = { ...process.env, GOPROXY: "off", GOFLAGS: "" };
  const source = join(repositoryRoot, "test/stand-ins/ring-controller/main.go");
  execFileSync("go", ["build", "-o", program, source], { cwd: join(repositoryRoot, "services/exporter/go"), env });
  const host = (name: string) => `http://${name}.${stack}.svc.cluster.local`;
  const running = new BackgroundCommand(
    [
      ...[...inNode, program, "-listen", listen, "-dns", `${settings.dnsAddress}:53`],
      ...["-table", `${host(NAMES.placement)}:${String(PORTS.table)}/ring`],
      ...["-hubs", letters.map((letter) => `${host(`hub-shard-{shard}-${letter}`)}:${String(PORTS.hub)}`).join(",")],
    ],
    { cwd: folder, env },
  );
  await until("the controller that hashes by itself", { seconds: 30 }, () => {
    const [nsenter, network] = inNode;
    execFileSync(nsenter, [network, "bash", "-c", `exec 3<>/dev/tcp/${listen.replace(":", "/")}`]);
    return Promise.resolve(true);
  });
  return {
    route: { prefix: inNode, flags: ["--url", `http://${listen}`] },
    stop: async () => {
      await running.stop();
    },
  };
}
