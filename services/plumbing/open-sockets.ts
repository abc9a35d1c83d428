import type { Server, Socket } from "node:net";

/** Raw connections of each server that is watched. */
const watched = new WeakMap<Server, Set<Socket>>();

/**
 * Remembers a server's connections from now on. Node's own lists begin after the TLS handshake: one that never ends it would
 * keep a closing server open for two minutes.
 */
export function watchSockets(server: Server): void {
  const sockets = new Set<Socket>();
  watched.set(server, sockets);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
}

/** Ends all connections of a server that is watched; returns how many. */
export function destroySockets(server: Server): number {
  const sockets = [...(watched.get(server) ?? [])];
  for (const socket of sockets) socket.destroy();
  return sockets.length;
}
