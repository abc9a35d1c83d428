/** Text tables. */

/** Columns as wide as their widest cell; columns of numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const isNumber = head.map(
    (_, column) => rows.length > 0 && rows.every((row) => /^-?[\d.,]*$/.test(row[column] ?? "")),
  );
  const line = (cells: readonly string[]): string =>
    widths
      .map((width, column) =>
        isNumber[column] === true ? (cells[column] ?? "").padStart(width) : (cells[column] ?? "").padEnd(width),
      )
      .join("  ")
      .trimEnd();
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}

/** 105011 as 105,011. */
export function grouped(value: number): string {
  return value.toLocaleString("en-US");
}
