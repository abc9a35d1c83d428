/**
 * The order of two series' label sets as Thanos merges them (labels.Compare of Prometheus): label by label, first the
 * name and then the value by their bytes; of two that are equal as far as the shorter goes, the shorter comes first.
 * @param one Labels as the `labels` fields of a `TimeSeries`, sorted by name.
 */
export function compareLabels(one: Buffer, other: Buffer): number {
  const shorter = Math.min(one.length, other.length);
  let same = 0;
  while (same < shorter && one[same] === other[same]) same += 1;
  if (same === shorter) return one.length - other.length;
  // Both begin alike: so do their labels, up to the one in which the first difference is.
  let start = 0;
  for (;;) {
    const end = endOfField(one, start);
    if (same < end) break;
    start = end;
  }
  // The field of the label, and in it those of its name and its value.
  const [myName, theirName] = [contentOfField(one, start), contentOfField(other, start)];
  const byName = compareFields(one, myName, other, theirName);
  if (byName !== 0) return byName;
  return compareFields(one, endOfField(one, myName), other, endOfField(other, theirName));
}

/** Compares the contents of two fields by their bytes: they are so short that a call that leaves JavaScript is slower. */
function compareFields(one: Buffer, start: number, other: Buffer, otherStart: number): number {
  const [end, otherEnd] = [endOfField(one, start), endOfField(other, otherStart)];
  let [at, otherAt] = [contentOfField(one, start), contentOfField(other, otherStart)];
  const difference = end - at - (otherEnd - otherAt);
  for (; at < end && otherAt < otherEnd; at++, otherAt++) {
    const byByte = (one[at] ?? 0) - (other[otherAt] ?? 0);
    if (byByte !== 0) return byByte;
  }
  return difference;
}

/** Whether there is a label of this name. */
export function hasLabel(labels: Buffer, name: Buffer): boolean {
  for (let start = 0; start < labels.length; start = endOfField(labels, start)) {
    const nameField = contentOfField(labels, start);
    const [text, end] = [contentOfField(labels, nameField), endOfField(labels, nameField)];
    if (end - text === name.length && labels.compare(name, 0, name.length, text, end) === 0) return true;
  }
  return false;
}

/** Where the content of a field begins: behind a tag of one byte and a length. */
function contentOfField(bytes: Buffer, start: number): number {
  let at = start + 1;
  while ((bytes[at] ?? 0) >= 0x80) at += 1;
  return at + 1;
}

function endOfField(bytes: Buffer, start: number): number {
  const content = contentOfField(bytes, start);
  let length = 0;
  for (let at = content - 1; at > start; at--) length = length * 128 + ((bytes[at] ?? 0) & 0x7f);
  return content + length;
}
