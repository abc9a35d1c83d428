import fc from "fast-check";
import { lookback } from "../placement/tables";

/** Seconds between two pushes: mostly one interval, and now and then up to three lookbacks. */
export const pause: fc.Arbitrary<number> = fc.oneof(
  { weight: 9, arbitrary: fc.constant(15) },
  { weight: 1, arbitrary: fc.integer({ min: 20, max: 900 }) },
);

/** Samples and markers of one series on one shard: whichever is there first at a time stays, as in Prometheus. */
export class StoredPoints {
  readonly #points = new Map<number, "sample" | "marker">();

  sample(time: number): void {
    this.#add(time, "sample");
  }

  /** As the gate writes a marker: at its time and a millisecond later. */
  marker(time: number): void {
    this.#add(time, "marker");
    this.#add(time + 1, "marker");
  }

  isLiveAt(time: number): boolean {
    const last = Math.max(...[...this.#points.keys()].filter((each) => each <= time && each > time - lookback));
    return this.#points.get(last) === "sample";
  }

  #add(time: number, what: "sample" | "marker"): void {
    if (!this.#points.has(time)) this.#points.set(time, what);
  }
}
