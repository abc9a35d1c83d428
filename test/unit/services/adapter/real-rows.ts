import type { Row } from "./real-shards";

/** What the shards of the real test hold. */

const minute = 60;
/** Six hours that end two hours ago, on whole hours. */
export const end = Math.floor(Date.now() / 3_600_000) * 3600 - 2 * 3600;
export const start = end - 6 * 3600;

/** Seconds after the start: what replica a misses, what b misses. */
export const missing = { a: [2 * 3600 + 40, 2 * 3600 + 1000], b: [4 * 3600 + 40, 4 * 3600 + 1000] } as const;

export function rowsOf(shard: number): readonly Row[] {
  const rows: Row[] = [];
  const labels = (more: string) => `{cluster="main",shard="${String(shard)}",${more}}`;
  for (let time = start; time <= end; time += minute) {
    const tick = (time - start) / minute;
    rows.push({ series: `pipeline_push_batch${labels('exporter="e0"')}`, value: tick, time });
    for (let gateway = 0; gateway < 8; gateway++) {
      const id = labels(`gatewayID="g${String(shard)}-${String(gateway)}",network="n${String(gateway % 3)}"`);
      const factor = gateway + 1 + shard * 8;
      rows.push({ series: `enb_up${id}`, value: (tick + gateway) % 7 === 0 ? 0 : 1, time });
      rows.push({ series: `ue_total${id}`, value: (tick * factor) % 5000, time });
      if (gateway === 3 && tick % 30 > 20) continue;
      rows.push({ series: `cpu${id}`, value: Math.sin(tick / 10) * factor, time });
      for (const [le, share] of [
        ["0.1", 0.3],
        ["1", 0.8],
        ["+Inf", 1],
      ] as const) {
        rows.push({
          series: `delay_bucket${id.replace("}", `,le="${le}"}`)}`,
          value: Math.floor(tick * factor * share),
          time,
        });
      }
    }
  }
  return rows;
}

/** What Rulers recorded. */
export function recorded(): readonly Row[] {
  const rows: Row[] = [];
  for (let time = start; time <= end; time += minute) {
    rows.push({ series: 'network:cpu:sum{cluster="main",shard="ruler"}', value: (time - start) / minute, time });
  }
  return rows;
}

export function without(rows: readonly Row[], [from, to]: readonly [number, number]): readonly Row[] {
  return rows.filter(({ time }) => time - start < from || time - start > to);
}
