const FACTORS: Readonly<Record<string, number>> = {
  "": 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** The number behind a Kubernetes quantity (`250m`, `512Mi`, `2Gi`), or undefined when it is not one. */
export function parseQuantity(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(text);
  const factor = FACTORS[match?.[2] ?? ""];
  return match === null || factor === undefined ? undefined : Number(match[1]) * factor;
}

/** The number behind a quantity that the config schema has already accepted. */
export function quantity(text: string): number {
  const value = parseQuantity(text);
  if (value === undefined) throw new Error(`"${text}" is not a quantity such as 250m, 512Mi or 2Gi`);
  return value;
}

/** A size that the config schema has accepted, in GiB, rounded up. */
export function gibibytes(text: string): number {
  return Math.ceil(quantity(text) / 2 ** 30);
}

/** Bytes as a canonical quantity, rounded up to 64 MiB so that small changes of an estimate change nothing. */
export function memoryQuantity(bytes: number): string {
  const mebibytes = Math.ceil(bytes / 2 ** 20 / 64) * 64;
  return mebibytes % 1024 === 0 ? `${String(mebibytes / 1024)}Gi` : `${String(mebibytes)}Mi`;
}

/** Cores as a canonical quantity of millicores. */
export function cpuQuantity(cores: number): string {
  const millicores = Math.ceil(Math.round(cores * 1e6) / 1e3);
  return millicores % 1000 === 0 ? String(millicores / 1000) : `${String(millicores)}m`;
}
