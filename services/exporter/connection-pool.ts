import { Agent } from "node:http";

/** Right to use the pool's connections for one request. */
export interface Lease {
  readonly agent: Agent;
  /** Gives the right back; must be called exactly once. */
  readonly release: () => void;
}

interface Generation {
  readonly agent: Agent;
  readonly since: number;
  users: number;
}

/**
 * Kept-alive connections to one server, replaced by new ones every `lifetime` milliseconds. Requests under way keep
 * their connection to the end.
 */
export class ConnectionPool {
  readonly #lifetime: number;
  #current: Generation | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(lifetime: number) {
    this.#lifetime = lifetime;
  }

  lease(): Lease {
    if (this.#current !== undefined && Date.now() - this.#current.since >= this.#lifetime) this.renew();
    const generation = (this.#current ??= this.#open());
    generation.users += 1;
    const release = (): void => {
      generation.users -= 1;
      if (generation !== this.#current && generation.users === 0) generation.agent.destroy();
    };
    return { agent: generation.agent, release };
  }

  /** Lets go of all connections: idle ones now, the others when their request is done. */
  renew(): void {
    clearTimeout(this.#timer);
    const old = this.#current;
    this.#current = undefined;
    if (old?.users === 0) old.agent.destroy();
  }

  #open(): Generation {
    this.#timer = setTimeout(() => this.renew(), this.#lifetime);
    this.#timer.unref();
    return { agent: new Agent({ keepAlive: true }), since: Date.now(), users: 0 };
  }
}
