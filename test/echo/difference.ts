/** Property paths at which two values differ: `spec.template.spec.containers[0].image`, sorted. */
export function differences(left: unknown, right: unknown, path = ""): readonly string[] {
  if (Object.is(left, right)) return [];
  if (Array.isArray(left) && Array.isArray(right)) {
    const length = Math.max(left.length, right.length);
    return Array.from({ length }, (_, index) =>
      differences(left[index], right[index], `${path}[${String(index)}]`),
    ).flat();
  }
  if (isObject(left) && isObject(right)) {
    const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
    return keys.flatMap((key) => differences(left[key], right[key], path === "" ? key : `${path}.${key}`));
  }
  return [path];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a path is one of some others or lies below one of them; `*` stands for any one key. */
export function isBelow(path: string, others: readonly string[]): boolean {
  const steps = path.replaceAll(/\[\d+\]/g, "").split(".");
  return others.some((other) => {
    const wanted = other.split(".");
    return wanted.length <= steps.length && wanted.every((step, index) => step === "*" || step === steps[index]);
  });
}
