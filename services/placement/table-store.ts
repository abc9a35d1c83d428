import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigReader, parseJson } from "../../model/config-reader";
import { MAX_PLACED_KEYS, parseTableText, tableText, type PlacementTable } from "../../model/placement-table";

/** What is known of a key. */
export interface KnownKey {
  readonly series: number;
  /** Milliseconds since the epoch. */
  readonly seenAt: number;
}

/** What outlives the writer. */
export interface Stored {
  readonly table: PlacementTable;
  /** Keys of the last numbers that were believed, so that a ring that has changed is planned at once. */
  readonly keys: ReadonlyMap<string, KnownKey>;
}

/** The table and what it was made from, in one file that is replaced as a whole. */
export class TableStore {
  readonly #folder: string;
  readonly #path: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.#path = join(folder, "table.json");
  }

  /**
   * What was stored last; undefined when nothing ever was.
   * @throws Error when it can't be read. The file is put aside then, for people to look at.
   */
  read(): Stored | undefined {
    mkdirSync(this.#folder, { recursive: true });
    let text: string;
    try {
      text = readFileSync(this.#path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    try {
      return parseStored(text);
    } catch (error) {
      renameSync(this.#path, `${this.#path}.bad`);
      throw error;
    }
  }

  /** Replaces what is stored; it is on the disk when this returns. */
  write({ table, keys }: Stored): void {
    const entries = [...keys].map(([key, { series, seenAt }]) => [key, series, seenAt]);
    const unfinished = `${this.#path}.unfinished`;
    const file = openSync(unfinished, "w", 0o644);
    try {
      // Not writeSync(): on a disk that is nearly full it writes a part, and says nothing.
      writeFileSync(file, JSON.stringify({ table: tableText(table), keys: entries }));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(unfinished, this.#path);
    const folder = openSync(this.#folder, "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }
}

function parseStored(text: string): Stored {
  const { value, problem } = parseJson(text);
  if (problem !== undefined) throw new Error(problem);
  const read = new ConfigReader();
  const root = read.object("(root)", value, ["table", "keys"]);
  const entries = read.list("keys", root["keys"], 0, MAX_PLACED_KEYS + 1).map((entry, at) => {
    const place = `keys[${String(at)}]`;
    const [key, series, seenAt] = read.list(place, entry, 3, 3);
    const known: KnownKey = {
      series: read.integer(`${place}[1]`, series, 0, Number.MAX_SAFE_INTEGER),
      seenAt: read.integer(`${place}[2]`, seenAt, 0, Number.MAX_SAFE_INTEGER),
    };
    return [read.text(`${place}[0]`, key, /^[^]*$/, "the value of a label"), known] as const;
  });
  const table = read.text("table", root["table"], /^[^]+$/, "the text of a table");
  if (read.problems.length > 0) throw new Error(read.problems.slice(0, 5).join("; "));
  return { table: parseTableText(table), keys: new Map(entries) };
}
