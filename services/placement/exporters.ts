import { lookup } from "node:dns/promises";
import { ask, type Asked } from "../plumbing/ask";
import { messageOf } from "../plumbing/log";

/** What came of asking every exporter. */
export interface Survey<T> {
  /** Exporters that there are. */
  readonly found: number;
  readonly answers: readonly T[];
  /** Why the others gave none. */
  readonly problems: readonly string[];
}

/** Gives the base URL of every exporter. */
export type FindExporters = () => Promise<readonly string[]>;

/** Every address behind a name such as `exporter-pods.example.svc:8080`. A name that nobody has yet: none. */
export function exportersBehind(address: string): FindExporters {
  const [host = "", port = ""] = address.split(":");
  return async () => {
    try {
      // Not resolve(): the pod's search list adds the cluster's domain.
      const found = await lookup(host, { all: true });
      return found.map((one) => `http://${one.family === 6 ? `[${one.address}]` : one.address}:${port}`);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "ENOTFOUND" || code === "ENODATA") return [];
      throw error;
    }
  };
}

/** Asks all exporters the same. */
export class Exporters {
  readonly #find: FindExporters;

  constructor(find: FindExporters) {
    this.#find = find;
  }

  /** Never rejects. `read` makes something of an answer, whatever its status, or throws. */
  async survey<T>(path: string, timeout: number, read: (answer: Asked) => T): Promise<Survey<T>> {
    const problems: string[] = [];
    let urls: readonly string[] = [];
    try {
      urls = await this.#find();
    } catch (error) {
      problems.push(`exporters not found: ${messageOf(error)}`);
    }
    const answers: T[] = [];
    await Promise.all(
      urls.map(async (url) => {
        try {
          answers.push(read(await ask("GET", `${url}${path}`, timeout)));
        } catch (error) {
          problems.push(`${url}: ${messageOf(error)}`);
        }
      }),
    );
    return { found: urls.length, answers, problems };
  }
}

/** The text of a good answer. @throws Error with the status of any other. */
export function good({ status, text }: Asked): string {
  if (status !== 200) throw new Error(`answered ${String(status)}`);
  return text;
}
