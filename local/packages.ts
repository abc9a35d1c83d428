import { existsSync } from "node:fs";
import { step, UserError } from "../tools/terminal";
import { mustRun, run } from "./process";

/** A program of the operating system that the local node needs, and the Debian package that brings it. */
interface SystemProgram {
  readonly path: readonly string[];
  readonly package: string;
}

const programs: readonly SystemProgram[] = [
  { path: ["/usr/bin/containerd"], package: "containerd" },
  { path: ["/usr/sbin/runc", "/usr/bin/runc"], package: "runc" },
  { path: ["/usr/lib/cni/bridge"], package: "containernetworking-plugins" },
  { path: ["/usr/sbin/iptables"], package: "iptables" },
  { path: ["/usr/sbin/conntrack"], package: "conntrack" },
  { path: ["/usr/sbin/ipset"], package: "ipset" },
  { path: ["/usr/bin/socat"], package: "socat" },
  { path: ["/usr/sbin/ip", "/bin/ip", "/sbin/ip"], package: "iproute2" },
  { path: ["/usr/bin/openssl"], package: "openssl" },
  { path: ["/usr/bin/nsenter"], package: "util-linux" },
  { path: ["/usr/bin/mount", "/bin/mount"], package: "mount" },
];

/** Debian packages that the local node needs and that are not installed. */
export function missingPackages(): readonly string[] {
  return programs.filter((each) => !each.path.some((path) => existsSync(path))).map((each) => each.package);
}

/** Installs the Debian packages that the local node needs; an error names them where there is no apt-get. */
export async function ensurePackages(): Promise<void> {
  const missing = missingPackages();
  if (missing.length === 0) return;
  await step(`installing Debian packages: ${missing.join(" ")}`, async () => {
    if ((await run("apt-get", ["--version"]).catch(() => undefined)) === undefined) {
      throw new UserError(
        `the local cluster needs ${missing.join(", ")}, and there is no apt-get to install them`,
        "install them by hand, or point the variable KUBECONFIG at a cluster that runs already",
      );
    }
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const install = ["install", "-y", "--no-install-recommends", ...missing];
    // A list of packages that is too old (or was never fetched) is the usual reason for a first failure.
    if ((await run("apt-get", install, { env })).code === 0) return;
    await mustRun("apt-get", ["update"], { env });
    await mustRun("apt-get", install, { env });
  });
}
