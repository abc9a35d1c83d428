import type { Server } from "node:http";
import type { Server as TlsServer } from "node:https";
import type { AddressInfo, Server as NetServer } from "node:net";
import { log } from "./log";
import { destroySockets, watchSockets } from "./open-sockets";

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Opens a server's port; resolves with the port, which matters when 0 was asked for. */
export function listen(server: NetServer, { host, port }: ListenAddress): Promise<number> {
  watchSockets(server);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/**
 * Closes a server whose port `listen` opened: stops accepting, ends idle connections, and resolves when the last request is
 * answered or after `limit` milliseconds.
 */
export async function closeServer(server: Server | TlsServer, limit: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      destroySockets(server);
    }, limit);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** A server that closes in its own way: stops accepting, resolves when the last request is answered or after `limit`. */
interface Closable {
  readonly close: (limit: number) => Promise<void>;
}

/** What a graceful stop needs. */
export interface StopPlan {
  /** Milliseconds between "not ready" and closing the port: Services take a moment to send nobody here any more. */
  readonly drainDelay: number;
  /** Milliseconds that requests under way get to end. */
  readonly drainLimit: number;
  /** Closed first, all at once, with the drain limit. */
  readonly main: readonly (Server | TlsServer | Closable)[];
  /** What remains to be done when the last request is answered. Must not reject. */
  readonly afterMain?: () => Promise<void>;
  /** Answers probes to the end. */
  readonly ops: Server;
  /** Called at once: readiness goes false. */
  readonly onStop: () => void;
}

/** Resolves when SIGTERM or SIGINT has come and everything has been answered. */
export async function untilStopped({ drainDelay, drainLimit, main, afterMain, ops, onStop }: StopPlan): Promise<void> {
  const signal = await new Promise<string>((resolve) => {
    process.once("SIGTERM", () => resolve("SIGTERM"));
    process.once("SIGINT", () => resolve("SIGINT"));
  });
  log("info", "stopping", { signal, drainDelay });
  onStop();
  if (signal === "SIGTERM") await new Promise((resolve) => setTimeout(resolve, drainDelay));
  await Promise.all(main.map((each) => ("listen" in each ? closeServer(each, drainLimit) : each.close(drainLimit))));
  await afterMain?.();
  await closeServer(ops, 0);
  log("info", "stopped");
}
