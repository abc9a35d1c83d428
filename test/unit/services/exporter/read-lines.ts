import { parseExposition } from "../../../../services/exporter/exposition";
import { receiveTime } from "./exposition-cases";

/** Canonical lines of a body, without their newlines. */
export function canonicalLines(body: string | Buffer): readonly string[] {
  const bytes = typeof body === "string" ? Buffer.from(body, "utf8") : body;
  const samples = parseExposition(bytes, { shardLabel: "gatewayID", receiveTime });
  return Array.from({ length: samples.count }, (_, at) => {
    const line = samples.text.toString("utf8", samples.start[at], samples.end[at]);
    if (!line.endsWith("\n")) throw new Error(`no newline after ${line}`);
    return line.slice(0, -1);
  });
}
