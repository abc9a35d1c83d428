import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { malformedBodies } from "../../fixtures/malformed-bodies";
import type { Labels } from "../../../tools/prometheus-api";
import { keyOfShard } from "../kit/pipeline";
import { malformedOf, rejectedOf, send } from "../kit/push";
import { maxBodyBytes, shardCount, type World } from "./world";

/** What the pipeline adds to the labels that were pushed. */
const added = (shard: number): Labels => ({ cluster: "main", shard: String(shard) });

/** Keys whose series land on shards 0 and 1. */
const keys = Array.from({ length: shardCount }, (_, shard) => keyOfShard(shard, shardCount));

const byKind = (left: Labels, right: Labels): number => ((left["kind"] ?? "") < (right["kind"] ?? "") ? -1 : 1);

/** Tests of `POST /metrics`. Metric names are the tests' own, so that none sees another's samples. */
export function pushTests(world: () => World): void {
  test("NaN and infinities are taken with 200 and read back as they are", async () => {
    const { pipeline } = world();
    const lines = ["NaN", "+Inf", "-Inf", "nan", "Infinity"].flatMap((value, index) =>
      keys.map((key) => `e2e_special{gatewayID="${key}",kind="${String(index)}"} ${value} ${String(Date.now())}\n`),
    );
    expect(await pipeline.push(lines.join(""))).toEqual({ status: 200, text: "" });
    await pipeline.settle(shardCount);
    const series = await pipeline.series("e2e_special");
    const found = series.map(({ labels, values }) => `${labels["kind"] ?? ""} ${values.map(String).join(" ")}`);
    const expected = ["0 NaN", "1 Infinity", "2 -Infinity", "3 NaN", "4 Infinity"];
    expect(found.sort()).toEqual([...expected, ...expected].sort());
  });

  test("a sample without a timestamp is taken with 200 and gets the time it was received", async () => {
    const { pipeline } = world();
    const before = Date.now();
    const body = keys.map((key) => `e2e_untimed{gatewayID="${key}"} 7\n`).join("");
    expect((await pipeline.push(body)).status).toBe(200);
    const after = Date.now();
    await pipeline.settle(shardCount);
    const { samples } = await pipeline.api.vector("timestamp(e2e_untimed)");
    expect(samples).toHaveLength(shardCount);
    for (const { value } of samples) {
      expect(value * 1_000).toBeGreaterThanOrEqual(before - 1_000);
      expect(value * 1_000).toBeLessThanOrEqual(after + 1_000);
    }
  });

  test("a body over the limit gets 413, as it is and after gunzip; the same below it gets 200", async () => {
    const { pushUrl } = world().pipeline;
    const line = `e2e_large{kind="${"x".repeat(1_000)}"} 1 ${String(Date.now())}\n`;
    const large = line.repeat(Math.ceil(maxBodyBytes / line.length) + 1);
    const packed = { "content-encoding": "gzip" };
    expect((await send(pushUrl, { body: large })).status).toBe(413);
    const bomb = gzipSync(large.repeat(20));
    expect(bomb.length).toBeLessThan(maxBodyBytes / 5);
    expect((await send(pushUrl, { body: bomb, headers: packed })).status).toBe(413);
    expect((await send(pushUrl, { body: gzipSync(line), headers: packed })).status).toBe(200);
  });

  test("a wrong method gets 405, a wrong path 404, an unknown encoding 415, broken gzip 400", async () => {
    const { pushUrl } = world().pipeline;
    for (const method of ["GET", "PUT", "DELETE"]) {
      expect((await send(pushUrl, { method, body: "" })).status, method).toBe(405);
    }
    for (const path of ["/", "/metrics/job/x", "/api/v1/write", "/debug", "//metrics"]) {
      expect((await send(pushUrl, { path, body: "x 1\n" })).status, path).toBe(404);
    }
    const body = "e2e_encoded 1\n";
    expect((await send(pushUrl, { body, headers: { "content-encoding": "br" } })).status).toBe(415);
    const broken = await send(pushUrl, { body, headers: { "content-encoding": "gzip" } });
    expect(malformedOf(broken)?.reason).toMatch(/gzip/);
  });

  test("a malformed body gets 400 with line and reason, whatever is wrong with it, and nothing of it is stored", async () => {
    const { pipeline } = world();
    const wrong: string[] = [];
    for (const [index, { name, body, line, reason }] of malformedBodies.entries()) {
      const now = String(Date.now());
      const metric = `e2e_malformed_${String(index)}`;
      const text = body.toString("latin1").replaceAll("@", metric).replaceAll("NOW", now);
      const answer = await pipeline.push(Buffer.from(text, typeof body === "string" ? "utf8" : "latin1"));
      const told = malformedOf(answer);
      if (told?.line === line && reason.test(told.reason)) continue;
      wrong.push(
        `${name}: expected line ${String(line)}, ${String(reason)}; got ${String(answer.status)} ${answer.text}`,
      );
    }
    expect(wrong).toEqual([]);
    await pipeline.settle(shardCount);
    expect(await pipeline.series('{__name__=~"e2e_malformed.*"}')).toEqual([]);
  });

  test("samples out of bounds are refused one by one with 400 and a list, and the others are stored", async () => {
    const { pipeline } = world();
    const now = Date.now();
    const line = (kind: string, value: number, offsetSeconds: number): string =>
      `e2e_bounds{gatewayID="${keys[1] ?? ""}",kind="${kind}"} ${String(value)} ${String(now + offsetSeconds * 1_000)}\n`;
    const body = [
      line("now", 1, 0),
      line("ahead", 2, 300),
      line("slightly ahead", 3, 20),
      line("old", 4, -86_400 * 2),
      line("late", 5, -120),
      line("twice", 6, 0),
      line("twice", 7, 0),
      line("repeated", 8, 0),
      line("repeated", 8, 0),
    ];
    const answer = await pipeline.push(body.join(""));
    const told = rejectedOf(answer);
    expect(
      told?.rejected.map((each) => each.line),
      answer.text,
    ).toEqual([2, 4, 7]);
    expect(told?.rejected[0]?.reason).toMatch(/ahead/);
    expect(told?.rejected[1]?.reason).toMatch(/old/);
    expect(told?.rejected[2]?.reason).toMatch(/another value/);
    expect(told?.accepted).toBe(6);
    await pipeline.settle(shardCount);
    const found = (await pipeline.series("e2e_bounds")).map(({ labels, values }) => [labels["kind"], values]);
    expect(Object.fromEntries(found)).toEqual({
      now: [1],
      "slightly ahead": [3],
      late: [5],
      twice: [6],
      repeated: [8],
    });
  });

  test("a stored series has exactly the labels that were pushed, plus cluster and shard", async () => {
    const { pipeline } = world();
    const pushed: readonly Labels[] = [
      { kind: "plain" },
      { kind: "job", job: "mine" },
      { kind: "instance", instance: "host:1" },
      { kind: "both", job: "mine", instance: "host:1" },
      { kind: "replica", replica: "user" },
      { kind: "exported and own", job: "mine", exported_job: "far" },
      { kind: "odd values", text: 'a\\b "c" \u00e9\u2028', empty_next: "x" },
    ];
    const escaped = (value: string): string => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
    const line = (labels: Labels, key: string): string =>
      `e2e_labels{${[...Object.entries(labels), ["gatewayID", key] as const]
        .map(([name, value]) => `${name}="${escaped(value)}"`)
        .join(",")}} 1 ${String(Date.now())}\n`;
    // Of another shard nobody can claim to be; what was claimed stays to be seen.
    const claims = { kind: "claims", cluster: "other", shard: "7" };
    const claimed = { kind: "claims", exported_cluster: "other", exported_shard: "7" };
    for (const [shard, key] of keys.entries()) {
      const body = [...pushed, claims].map((labels) => line(labels, key)).join("") + `e2e_labels{kind="e",no=""} 1\n`;
      expect((await pipeline.push(body)).status, `shard ${String(shard)}`).toBe(200);
    }
    await pipeline.settle(shardCount);
    for (const [shard, key] of keys.entries()) {
      const expected = [...pushed, claimed].map((labels) => ({
        __name__: "e2e_labels",
        ...labels,
        gatewayID: key,
        ...added(shard),
      }));
      const found = (await pipeline.series(`e2e_labels{gatewayID="${key}"}`)).map(({ labels }) => labels);
      expect(found.sort(byKind)).toEqual([...expected].sort(byKind));
    }
    const homeless = await pipeline.series('e2e_labels{gatewayID=""}');
    expect(homeless.map(({ labels }) => labels)).toEqual([{ __name__: "e2e_labels", kind: "e", ...added(0) }]);
  });

  test("every oddity that the text format allows is taken, and read back with its value", async () => {
    const { pipeline } = world();
    const now = String(Date.now());
    const body = [
      "\n",
      "# a comment\n",
      "# HELP e2e_odd a \\\\ b \\n c\n",
      "# TYPE e2e_odd counter\n",
      `  e2e_odd { kind = "blanks" , }   1e3   ${now}\n`,
      `\te2e_odd\t{\tkind="tabs"\t}\t-.5\t${now}\n`,
      `e2e_odd{kind="escapes \\\\ \\" \\n"} +1.5E-3 ${now}\n`,
      `e2e_odd{kind="empty",nothing=""} 0 ${now}\n`,
      `e2e:odd:colons{kind="colons"} 4 ${now}\n`,
      "# TYPE e2e_odd gauge\n",
      `e2e_odd_bare 5 ${now}\n`,
      `e2e_odd{kind="comment at the end"} 6 ${now}\n# EOF\n`,
    ].join("");
    expect(await pipeline.push(body)).toEqual({ status: 200, text: "" });
    await pipeline.settle(shardCount);
    const found = await pipeline.series('{__name__=~"e2e_odd|e2e:odd:colons|e2e_odd_bare"}');
    expect(Object.fromEntries(found.map(({ labels, values }) => [labels["kind"] ?? "bare", values]))).toEqual({
      blanks: [1_000],
      tabs: [-0.5],
      'escapes \\ " \n': [0.0015],
      empty: [0],
      colons: [4],
      bare: [5],
      "comment at the end": [6],
    });
  });
}
