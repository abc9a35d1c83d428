/** Bodies that are broken in small ways, the same ones for the same seed. */

/** Numbers in [0, 1) from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

const pieces: readonly string[] = [
  "{",
  "}",
  '"',
  "\\",
  ",",
  "=",
  "#",
  " ",
  "\t",
  "\r",
  "\n",
  "\0",
  "\u00e9",
  "\u2028",
  "NaN",
  "-Inf",
  "1e308",
  "-0",
  "0x1p-3",
  "9223372036854775808",
  "# TYPE e2e_fuzz histogram\n",
  "# HELP e2e_fuzz \\n\n",
  "# EOF\n",
  '{"e2e.quoted"} 1\n',
  'e2e_fuzz{__name__="x"} 1\n',
  'e2e_fuzz{job="j",instance="i",replica="r",cluster="c",shard="9"} 1\n',
  'e2e_fuzz{exported_job="e",exported_exported_job="ee"} 1\n',
  'e2e_fuzz{gatewayID=""} 1\n',
];

/** One broken body: a few changes of a good one. `now` in milliseconds. */
export function fuzzedBody(random: () => number, now: number): Buffer {
  const pick = (count: number): number => Math.floor(random() * count);
  const lines = Array.from({ length: 1 + pick(6) }, (_, index) => {
    const time = pick(4) === 0 ? "" : ` ${String(now - pick(90_000) + (pick(20) === 0 ? 200_000 : 0))}`;
    return `e2e_fuzz{gatewayID="fuzz-${String(pick(50))}",part="${String(index)}"} ${String(pick(1_000))}${time}\n`;
  });
  let body = Buffer.from(lines.join(""));
  for (let change = pick(4); change > 0; change--) {
    const at = pick(body.length + 1);
    const before = body.subarray(0, at);
    switch (pick(6)) {
      case 0:
        body = Buffer.concat([before, Buffer.from(pieces[pick(pieces.length)] ?? ""), body.subarray(at)]);
        break;
      case 1:
        body = Buffer.concat([before, body.subarray(at + 1 + pick(8))]);
        break;
      case 2:
        body = Buffer.concat([before, Buffer.from([pick(256)]), body.subarray(at + 1)]);
        break;
      case 3:
        body = before.length > 0 ? Buffer.from(before) : body;
        break;
      case 4:
        body = Buffer.concat([body, body.subarray(at)]);
        break;
      default:
        body = Buffer.concat([
          before,
          Buffer.from(Array.from({ length: pick(20) }, () => pick(256))),
          body.subarray(at),
        ]);
    }
  }
  return body;
}
