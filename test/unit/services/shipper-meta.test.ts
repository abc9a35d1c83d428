import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ensureUploadFile } from "../../../services/shipper-meta/upload-file";

let folder = "";
const path = (): string => join(folder, "thanos.shipper.json");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "shipper-meta-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe("the upload file", () => {
  test("is made empty where there is none, as the sidecar would write it", () => {
    expect(ensureUploadFile(path())).toBe(true);
    expect(JSON.parse(readFileSync(path(), "utf8"))).toStrictEqual({ version: 1, uploaded: [] });
    expect(readdirSync(folder)).toStrictEqual(["thanos.shipper.json"]);
  });

  test("is left alone when it can be read", () => {
    const text = '{"version":1,"uploaded":["01M81NNSETBKP56G2JAFWMB2PV"]}';
    writeFileSync(path(), text);
    expect(ensureUploadFile(path())).toBe(false);
    expect(readFileSync(path(), "utf8")).toBe(text);
  });

  test.each(["", "{", "null", '{"version":1}', '{"uploaded":null}'])(
    "is replaced when Prometheus could not use %j",
    (text) => {
      writeFileSync(path(), text);
      expect(ensureUploadFile(path())).toBe(true);
      expect(ensureUploadFile(path())).toBe(false);
    },
  );

  test("a folder that is not there is an error, so that Prometheus does not start without the file", () => {
    expect(() => ensureUploadFile(join(folder, "missing", "file"))).toThrow(/ENOENT/);
  });
});
