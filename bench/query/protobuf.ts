/** As much of protobuf's wire format as is needed to tell one captured request from another. */

/** One field: its number, and its bytes as they stand in the message (tag not included). */
export interface Field {
  readonly number: number;
  readonly bytes: Buffer;
}

function varint(message: Buffer, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  let scale = 1;
  for (let at = start; at < message.length; at++) {
    const byte = message[at] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: at + 1 };
    scale *= 128;
  }
  throw new Error("protobuf message ends within a number");
}

/**
 * Fields of a message in their order; of fields with a length only the content.
 * @throws Error when the bytes are no protobuf message.
 */
export function fieldsOf(message: Buffer): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  while (at < message.length) {
    const tag = varint(message, at);
    let [start, end] = [tag.end, tag.end];
    switch (tag.value % 8) {
      case 0:
        end = varint(message, start).end;
        break;
      case 1:
        end = start + 8;
        break;
      case 2: {
        const length = varint(message, start);
        start = length.end;
        end = start + length.value;
        break;
      }
      case 5:
        end = start + 4;
        break;
      default:
        throw new Error(`protobuf wire type ${String(tag.value % 8)} is not in use`);
    }
    if (end > message.length) throw new Error("protobuf message ends within a field");
    fields.push({ number: Math.floor(tag.value / 8), bytes: message.subarray(start, end) });
    at = end;
  }
  return fields;
}

/** Field that holds what is left of the timeout, by method: it differs from one sending to the next. */
const TIMEOUT_FIELDS: Readonly<Record<string, number>> = { "/thanos.Query/Query": 3, "/thanos.Query/QueryRange": 5 };

/** Names a request: the method and everything in the message but the timeout. `body` is the gRPC frame. */
export function requestKey(path: string, body: Buffer): string {
  const timeout = TIMEOUT_FIELDS[path];
  if (timeout === undefined) return `${path} ${body.toString("base64")}`;
  const kept = fieldsOf(body.subarray(5)).filter(({ number }) => number !== timeout);
  return `${path} ${kept.map(({ number, bytes }) => `${String(number)}=${bytes.toString("base64")}`).join(" ")}`;
}

/** The query as text of a captured request; of another service's request the method's name. */
export function queryText(path: string, body: Buffer): string {
  if (!path.startsWith("/thanos.Query/")) return path;
  return (
    fieldsOf(body.subarray(5))
      .find(({ number }) => number === 1)
      ?.bytes.toString("utf8") ?? path
  );
}
