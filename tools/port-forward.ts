/**
 * `kubectl port-forward` on a free loopback port that starts itself again when its pod goes. The port stays the same
 * over restarts, so clients only see refused or broken connections meanwhile, which they repeat.
 */

import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { KubectlTarget } from "./kubectl";
import { targetArguments } from "./kubectl";
import { UserError } from "./terminal";

export interface PortForwardOptions {
  readonly target: KubectlTarget;
  /** What to forward to, e.g. `svc/query`. */
  readonly resource: string;
  /** Port of the Service or pod. */
  readonly remotePort: number;
  /** Program to run; tests give a script. Default `kubectl`. */
  readonly program?: string;
  /** Milliseconds that the first start may take, restarts included; default 60,000. */
  readonly readyMilliseconds?: number;
  /** First and largest pause between restarts, in milliseconds; default 200 and 3,000. */
  readonly pauseMilliseconds?: readonly [first: number, largest: number];
}

/** What a forward is doing. */
export type PortForwardState = "starting" | "ready" | "restarting" | "closed";

/**
 * kubectl under a shell that ends it when this process is gone, even by kill -9: the shell's standard input is a pipe
 * from us, and its end is noticed. `pdeathsig` would be shorter, but only Linux has it.
 */
const supervised = `
exec 3<&0
"$@" </dev/null & child=$!
(cat <&3 >/dev/null; kill "$child" 2>/dev/null) >/dev/null 2>&1 & watcher=$!
trap 'kill "$child" "$watcher" 2>/dev/null' TERM INT
wait "$child"; code=$?
kill "$watcher" 2>/dev/null
exit "$code"`;

/** kubectl says so and, by version, ends or stays without a working tunnel. */
const broken =
  /lost connection to pod|error creating (error|forwarding) stream|unable to do port forwarding|an error occurred forwarding/;

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === "object" && address !== null) resolve(address.port);
        else reject(new Error("no free loopback port"));
      });
    });
  });
}

/** A running forward; `close` it when done. */
export class PortForward {
  private current: PortForwardState = "starting";
  private child: ChildProcess | undefined;
  private stopped: Promise<void> = Promise.resolve();
  private lastWords = "";
  private restartCount = 0;
  private readonly waiters = new Set<() => void>();
  private readonly onExit = (): void => {
    this.child?.kill("SIGTERM");
  };

  private constructor(
    private readonly options: PortForwardOptions,
    /** Local port, on 127.0.0.1. */
    readonly port: number,
  ) {}

  /** Starts forwarding and waits until the tunnel stands. */
  static async open(options: PortForwardOptions): Promise<PortForward> {
    const forward = new PortForward(options, await freePort());
    process.on("exit", forward.onExit);
    forward.stopped = forward.loop();
    try {
      await forward.waitReady(options.readyMilliseconds ?? 60_000);
    } catch (error) {
      await forward.close();
      throw error;
    }
    return forward;
  }

  /** `http://127.0.0.1:<port>` */
  get url(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  get state(): PortForwardState {
    return this.current;
  }

  /** How often the tunnel had to be built again. */
  get restarts(): number {
    return this.restartCount;
  }

  /** Resolves when the tunnel stands; an error after `timeoutMilliseconds`, with kubectl's last words. */
  async waitReady(timeoutMilliseconds: number): Promise<void> {
    const deadline = Date.now() + timeoutMilliseconds;
    while (this.current !== "ready") {
      if (this.current === "closed") throw new UserError(`port-forward to ${this.options.resource} is closed`);
      if (Date.now() >= deadline) {
        throw new UserError(
          `no port-forward to ${this.options.resource} within ${String(timeoutMilliseconds / 1_000)} s: ${this.lastWords}`,
          "are its pods ready? make status tells",
        );
      }
      await Promise.race([new Promise<void>((resolve) => this.waiters.add(resolve)), sleep(100)]);
      this.waiters.clear();
    }
  }

  /** Ends the tunnel and waits until its process is gone. */
  async close(): Promise<void> {
    this.enter("closed");
    process.off("exit", this.onExit);
    this.child?.kill("SIGTERM");
    await this.stopped;
  }

  private isClosed(): boolean {
    return this.current === "closed";
  }

  private enter(state: PortForwardState): void {
    if (this.current === "closed") return;
    this.current = state;
    for (const wake of this.waiters) wake();
  }

  private async loop(): Promise<void> {
    const [first, largest] = this.options.pauseMilliseconds ?? [200, 3_000];
    let pause = first;
    while (!this.isClosed()) {
      const wasReady = await this.once();
      if (this.isClosed()) return;
      this.enter("restarting");
      this.restartCount += 1;
      pause = wasReady ? first : Math.min(largest, pause * 2);
      await sleep(pause);
    }
  }

  /** One life of kubectl; tells whether its tunnel ever stood. */
  private once(): Promise<boolean> {
    const { target, resource, remotePort, program = "kubectl" } = this.options;
    const forwarding = `${String(this.port)}:${String(remotePort)}`;
    const args = [program, ...targetArguments(target), "port-forward", "--address", "127.0.0.1", resource, forwarding];
    // Detached: Ctrl-C must not take the tunnel away under the pushes that are still under way.
    const child = spawn("/bin/sh", ["-c", supervised, "sh", ...args], {
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    this.child = child;
    let wasReady = false;
    const onLine = (line: string): void => {
      if (line.startsWith("Forwarding from")) {
        wasReady = true;
        this.enter("ready");
      } else if (!line.startsWith("Handling connection")) {
        this.lastWords = line.trim();
        if (broken.test(line)) child.kill("SIGTERM");
      }
    };
    child.stdin.on("error", () => undefined);
    createInterface({ input: child.stdout }).on("line", onLine);
    createInterface({ input: child.stderr }).on("line", onLine);
    return new Promise((resolve) => {
      child.on("error", (error) => {
        this.lastWords = error.message;
        resolve(wasReady);
      });
      child.on("close", () => {
        child.stdin.destroy();
        resolve(wasReady);
      });
    });
  }
}
