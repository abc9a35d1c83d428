import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";

const repository = join(__dirname, "../../../..");
/** Each parser in the module that pins the program which has it, so that it is what the program's binary holds. */
const MODULES = { hub: "edge-hub", prometheus: "prometheus" } as const;
export type ParserName = keyof typeof MODULES;

const answerSchema = z.object({
  error: z.string().optional(),
  samples: z.array(z.tuple([z.string(), z.string(), z.string()])).nullable(),
});

/** What a parser made of a body. */
export interface Reading {
  /** Why it was refused. */
  readonly error: string | undefined;
  /** Series with sorted labels, value as bits, timestamp or nothing; in an order of their own. */
  readonly samples: readonly (readonly [series: string, value: string, timestamp: string])[];
}

/** Nothing may be fetched: the modules are there since the programs were built. */
const environment = { ...process.env, GOPROXY: "off", GOFLAGS: "" };

export const hasGo = spawnSync("go", ["version"]).status === 0;

/** One of the real parsers as a process that answers one body after another. */
export class RealParser {
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #waiting: ((line: string) => void)[] = [];

  /** @throws Error when it can't be built. */
  constructor(name: ParserName) {
    this.#folder = mkdtempSync(join(tmpdir(), "parser-"));
    const program = join(this.#folder, name);
    const { status, stderr } = spawnSync("go", ["build", "-o", program, join(__dirname, "parsers", `${name}.go`)], {
      cwd: join(repository, "local", "go", MODULES[name]),
      env: environment,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`${name}.go does not build: ${stderr}`);
    this.#child = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
    if (this.#child.stdout === null) throw new Error("the parser has no output");
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#waiting.shift()?.(line));
  }

  async read(body: Buffer): Promise<Reading> {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    const line = await new Promise<string>((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin?.write(Buffer.concat([length, body]));
    });
    const { error, samples } = answerSchema.parse(JSON.parse(line));
    return { error, samples: samples ?? [] };
  }

  stop(): void {
    this.#child.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
