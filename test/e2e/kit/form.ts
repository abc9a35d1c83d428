/** Which form of a suite runs: the short one belongs to `make test`, the long one does everything at full size. */
export type Form = "short" | "long";

export const form: Form = process.env["SUITE_FORM"] === "long" ? "long" : "short";

/** The value for the form that runs. */
export function choose<T>(values: Readonly<Record<Form, T>>): T {
  return values[form];
}
