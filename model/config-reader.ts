/** What the configuration files of our own services share: they are JSON, and all that is wrong is told at once. */

/** All that is wrong with a configuration; one line per problem: key, value, rule, fix. */
export class ConfigFileError extends Error {
  constructor(
    service: string,
    readonly problems: readonly string[],
  ) {
    super(`${service} configuration has ${String(problems.length)} problem(s):\n  ${problems.join("\n  ")}`);
    this.name = "ConfigFileError";
  }
}

/** An object whose keys have been checked, but not its values. */
export type Fields = Readonly<Record<string, unknown>>;

/** Reads parsed JSON field by field, collects the problems, and goes on with placeholders. */
export class ConfigReader {
  readonly problems: string[] = [];

  report(key: string, value: unknown, rule: string): void {
    this.problems.push(`${key}: ${show(value)}: ${rule}`);
  }

  object(key: string, value: unknown, allowed: readonly string[]): Fields {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.report(key, value, `must be an object with the keys ${allowed.join(", ")}`);
      return {};
    }
    for (const name of Object.keys(value)) {
      if (!allowed.includes(name)) {
        const where = key === "(root)" ? name : `${key}.${name}`;
        this.report(where, (value as Fields)[name], `unknown key; remove it (known: ${allowed.join(", ")})`);
      }
    }
    return value as Fields;
  }

  list(key: string, value: unknown, minimum: number, maximum: number): readonly unknown[] {
    if (Array.isArray(value) && value.length >= minimum && value.length <= maximum) return value;
    this.report(key, value, `must be a list of ${String(minimum)} to ${String(maximum)} entries`);
    return Array.isArray(value) ? value : [];
  }

  integer(key: string, value: unknown, minimum: number, maximum: number): number {
    if (typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
    this.report(key, value, `must be a whole number from ${String(minimum)} to ${String(maximum)}`);
    return minimum;
  }

  boolean(key: string, value: unknown): boolean {
    if (typeof value === "boolean") return value;
    this.report(key, value, "must be true or false");
    return false;
  }

  text(key: string, value: unknown, pattern: RegExp, rule: string): string {
    if (typeof value === "string" && pattern.test(value)) return value;
    this.report(key, value, `must be ${rule}`);
    return "";
  }

  /** Scheme `http`, host and port, nothing else. */
  baseUrl(key: string, value: unknown, example: string): string {
    if (typeof value === "string" && /^http:\/\/[^/?#@\s]+$/.test(value) && URL.canParse(value)) return value;
    this.report(key, value, `must be a base URL like ${example} (http, no path, query or user)`);
    return "";
  }
}

/** Parses a file's text; the problem as a line when it is not JSON. */
export function parseJson(text: string): { readonly value?: unknown; readonly problem?: string } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { problem: `(root): not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function show(value: unknown): string {
  if (value === undefined) return "missing";
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) return typeof value;
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
