import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { realTools } from "../components/rules/real-tools";
import { containerOf, S3, SHARDED } from "./object-storage-kit";
import { run } from "./recorder";

/** The real Compactor does what the config's retention says, over a bucket in a folder. Not part of `make check`. */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const FIVE_MINUTES = HOUR / 12;
/** Blocks that the Compactor merges from 2h to two days begin at multiples of that. */
const WINDOW = 2 * DAY;
/** Of what a test's pod has, what here is another: where data, bucket and port are, and that it ends by itself. */
const REPLACED = /^--(wait|data-dir=.*|http-address=.*|objstore\.config-file=.*)$/;

const { thanos = "", promtool = "" } = realTools;
const folder = mkdtempSync(join(tmpdir(), "compactor-"));
const uploaded = join(folder, "uploaded");

function storage(bucket: string): string {
  return `--objstore.config=${JSON.stringify({ type: "FILESYSTEM", config: { directory: bucket } })}`;
}

/** Two whole windows of one series, in blocks of two hours, as a sidecar uploads them. All of it is over two days old. */
function upload(): void {
  const end = Math.floor(Date.now() / WINDOW) * WINDOW - WINDOW;
  const lines = Array.from({ length: (2 * WINDOW) / HOUR }, (_, hour) => {
    return `ue_attach_total{gatewayID="gw1"} ${String(hour)} ${String((end - 2 * WINDOW + hour * HOUR) / 1_000)}`;
  });
  const [samples, blocks] = [join(folder, "samples.txt"), join(folder, "blocks")];
  writeFileSync(samples, `${lines.join("\n")}\n# EOF\n`);
  execFileSync(promtool, ["tsdb", "create-blocks-from", "openmetrics", "--quiet", samples, blocks]);
  mkdirSync(uploaded);
  const labels = ['cluster="main"', 'shard="0"', 'prometheus_replica="a"'].map((label) => `--label=${label}`);
  execFileSync(thanos, ["tools", "bucket", "upload-blocks", storage(uploaded), `--path=${blocks}`, ...labels], {
    stdio: "pipe",
  });
}

/** Lets the Compactor of a stack with this retention go over a bucket once; its log, or an error where it fails. */
async function compact(bucket: string, retention: Readonly<Record<string, string>>): Promise<string> {
  // Blocks as new as these are not touched before the consistency delay is over.
  const objectStorage = { ...S3, consistencyDelay: "0s" };
  const { args } = containerOf(await run({ ...SHARDED, objectStorage, retention }), "compactor", "compactor");
  const own = args.filter((arg) => !REPLACED.test(arg));
  const here = [storage(bucket), `--data-dir=${join(folder, "data")}`, "--http-address=127.0.0.1:0"];
  return execFileSync("sh", ["-c", 'exec "$0" "$@" 2>&1', thanos, ...own, ...here], { encoding: "utf8" });
}

/** Resolutions in milliseconds of the blocks that the Compactor has not marked for deletion, smallest first. */
function resolutions(bucket: string): readonly number[] {
  const blocks = readdirSync(bucket).filter((name) => {
    return existsSync(join(bucket, name, "meta.json")) && !existsSync(join(bucket, name, "deletion-mark.json"));
  });
  const found = blocks.map((name) => {
    const meta: unknown = JSON.parse(readFileSync(join(bucket, name, "meta.json"), "utf8"));
    return (meta as { thanos: { downsample: { resolution: number } } }).thanos.downsample.resolution;
  });
  return [...new Set(found)].sort((left, right) => left - right);
}

function copyOfBucket(name: string): string {
  const bucket = join(folder, name);
  cpSync(uploaded, bucket, { recursive: true });
  return bucket;
}

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe.skipIf(thanos === "" || promtool === "")("the real Compactor", () => {
  beforeAll(upload);

  test.each([
    ["nothing", {}],
    ["raw", { raw: "30d" }],
    ["raw, for less than downsampling takes", { raw: "30h", local: "6h" }],
  ])("makes no downsampled block where the config names %s", async (_what, retention) => {
    const bucket = copyOfBucket(`without-${Object.values(retention).join("-")}`);
    expect(await compact(bucket, retention)).toContain("downsampling was explicitly disabled");
    expect(resolutions(bucket).filter((resolution) => resolution > 0)).toStrictEqual([]);
    // All of it is two days old or older.
    expect(resolutions(bucket)).toStrictEqual("local" in retention ? [] : [0]);
  });

  test.each([
    ["5m", { "5m": "0s" }],
    ["1h", { "1h": "30d" }],
    ["all of them at their shortest", { raw: "241h", "5m": "241h", "1h": "1h" }],
  ])("makes downsampled blocks where the config names %s", async (what, retention) => {
    const bucket = copyOfBucket(`with-${what}`);
    await compact(bucket, retention);
    expect(resolutions(bucket)).toStrictEqual([0, FIVE_MINUTES]);
  });

  test("downsampled blocks of an earlier config go with the raw ones", async () => {
    const bucket = copyOfBucket("earlier");
    await compact(bucket, { raw: "30d", "5m": "30d" });
    expect(resolutions(bucket)).toStrictEqual([0, FIVE_MINUTES]);
    await compact(bucket, { raw: "30d" });
    expect(resolutions(bucket)).toStrictEqual([0, FIVE_MINUTES]);
    await compact(bucket, { raw: "1d", local: "6h" });
    expect(resolutions(bucket)).toStrictEqual([]);
  });
});
