/** Flags by name: a list repeats the flag, true is `--name`, false is `--no-name`. */
export type Flags = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** Container arguments of a flag map, sorted by name so that equal maps give equal pods. */
export function flagList(flags: Flags): string[] {
  return Object.keys(flags)
    .sort()
    .flatMap((name) => {
      const value = flags[name];
      if (value === undefined) return [];
      if (value === true) return [`--${name}`];
      if (value === false) return [`--no-${name}`];
      if (typeof value === "object") return value.map((item) => `--${name}=${item}`);
      return [`--${name}=${String(value)}`];
    });
}
