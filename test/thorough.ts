/** `make test` tries what is slow in full; `make check`, which people wait for, tries less of the same. */

/** Whether everything is tried: THOROUGH=1, as `make test` sets it. */
export const isThorough = process.env["THOROUGH"] === "1";

/** How many cases a slow property is tried on: all of them if thorough, otherwise a tenth, and never fewer than two. */
export function cases(all: number): number {
  return isThorough ? all : Math.max(2, Math.ceil(all / 10));
}
