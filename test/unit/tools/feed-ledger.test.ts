import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultFleet } from "../../../tools/feed/fleet";
import { LedgerWriter, readLedger } from "../../../tools/feed/ledger";
import { UserError } from "../../../tools/terminal";

let directory = "";
let path = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ledger-"));
  path = join(directory, "deep", "run.jsonl");
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function create(records = 3): void {
  const ledger = LedgerWriter.create(path, { run: "r1", startedAt: 1, intervalSeconds: 60, fleet: defaultFleet });
  for (let index = 0; index < records; index++) {
    ledger.append({ kind: "send", g: index, t: 1_000 + index });
    ledger.append({ kind: "ack", g: index, t: 1_000 + index, at: 2_000 + index });
  }
  ledger.close();
}

describe("the ledger", () => {
  test("gives back what was written", () => {
    create(1);
    const writer = LedgerWriter.resume(path);
    writer.append({ kind: "ack", g: 1, t: 5, at: 6, rejected: [{ line: 3, reason: "too old" }] });
    writer.append({ kind: "fail", g: 2, t: 5, error: "HTTP 503" });
    writer.close();
    const { header, records, tornBytes } = readLedger(path);
    expect(header).toMatchObject({ run: "r1", fleet: defaultFleet });
    expect(records).toStrictEqual([
      { kind: "send", g: 0, t: 1_000 },
      { kind: "ack", g: 0, t: 1_000, at: 2_000 },
      { kind: "ack", g: 1, t: 5, at: 6, rejected: [{ line: 3, reason: "too old" }] },
      { kind: "fail", g: 2, t: 5, error: "HTTP 503" },
    ]);
    expect(tornBytes).toBe(0);
  });

  test("survives a kill at any byte: whole records stay, a torn one is cut off, writing goes on", () => {
    create(4);
    const whole = readFileSync(path);
    const headerEnd = whole.indexOf(0x0a) + 1;
    fc.assert(
      fc.property(fc.integer({ min: headerEnd, max: whole.length }), (length) => {
        rmSync(path);
        appendFileSync(path, whole);
        truncateSync(path, length);
        const kept = whole.subarray(headerEnd, length).toString().split("\n").length - 1;
        expect(readLedger(path).records).toHaveLength(kept);
        const writer = LedgerWriter.resume(path);
        writer.append({ kind: "ack", g: 9, t: 9, at: 9 });
        writer.close();
        const { records, tornBytes } = readLedger(path);
        expect(tornBytes).toBe(0);
        expect(records).toHaveLength(kept + 1);
        expect(records.at(-1)).toStrictEqual({ kind: "ack", g: 9, t: 9, at: 9 });
      }),
    );
  });

  test("a damaged line before the last one is an error that names it", () => {
    create(1);
    appendFileSync(path, '{"kind":"ack","g":1\n{"kind":"ack","g":1,"t":1,"at":1}\n');
    expect(() => readLedger(path)).toThrow(/damaged at line 4/);
  });

  test("a run has one ledger: an existing file is not written over", () => {
    create();
    const before = readFileSync(path, "utf8");
    expect(() => {
      create();
    }).toThrow(/EEXIST/);
    expect(readFileSync(path, "utf8")).toBe(before);
  });

  test("missing and foreign files are errors for people", () => {
    expect(() => readLedger(path)).toThrow(UserError);
    create();
    truncateSync(path, 0);
    appendFileSync(path, "hello\n");
    expect(() => readLedger(path)).toThrow(/no readable header/);
  });
});
