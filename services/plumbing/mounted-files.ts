import { readFileSync } from "node:fs";
import { log, messageOf } from "./log";

/** How often files are read again, in milliseconds: kubelet itself takes up to a minute to bring a changed Secret. */
const defaultInterval = 5_000;

/** What a {@link MountedFiles} is made of. */
export interface MountedFilesArgs<T> {
  /** What the files are, for logs and errors. */
  readonly what: string;
  readonly paths: readonly string[];
  /** Makes sense of their contents; throws when they can't be used. */
  readonly parse: (contents: readonly string[]) => T;
  /** Milliseconds between looks; default: 5000. */
  readonly interval?: number;
}

/** Files of a mounted Secret that may change at any time. A content that can't be used leaves the one before in use. */
export class MountedFiles<T> {
  readonly #args: MountedFilesArgs<T>;
  readonly #timer: NodeJS.Timeout;
  #contents: readonly string[];
  #value: T;
  #refused: string | undefined;
  #onChange: (value: T) => void = () => undefined;

  /** @throws Error with the paths when the files can't be read or used at first. */
  constructor(args: MountedFilesArgs<T>) {
    this.#args = args;
    try {
      this.#contents = this.#read();
      this.#value = args.parse(this.#contents);
    } catch (error) {
      throw new Error(`${args.what} (${args.paths.join(", ")}): ${messageOf(error)}`);
    }
    this.#timer = setInterval(() => this.look(), args.interval ?? defaultInterval);
    this.#timer.unref();
  }

  get value(): T {
    return this.#value;
  }

  /** Whether the files hold something that can't be used, so that the content before is still in use. */
  get isStale(): boolean {
    return this.#refused !== undefined;
  }

  /** Called with each new value from now on. */
  onChange(listener: (value: T) => void): void {
    this.#onChange = listener;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Reads the files again. */
  look(): void {
    const { what, paths, parse } = this.#args;
    try {
      const contents = this.#read();
      if (contents.every((one, at) => one === this.#contents[at])) {
        this.#refused = undefined;
        return;
      }
      const value = parse(contents);
      this.#contents = contents;
      this.#value = value;
      this.#refused = undefined;
      log("info", `${what} changed`, { paths });
      this.#onChange(value);
    } catch (error) {
      const reason = messageOf(error);
      if (reason !== this.#refused)
        log("error", `${what} can't be used; going on with the one before`, { paths, reason });
      this.#refused = reason;
    }
  }

  #read(): readonly string[] {
    return this.#args.paths.map((path) => readFileSync(path, "utf8"));
  }
}
