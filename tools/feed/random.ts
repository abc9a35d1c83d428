/** Small deterministic hashing: the same numbers on every machine, from a seed and a few coordinates. */

/** Mixes integers into an unsigned 32 bit hash (murmur3's body and finaliser over the given words). */
export function hashOf(...words: readonly number[]): number {
  let hash = 0x9747b28c;
  for (const word of words) {
    let k = Math.imul(word | 0, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    hash ^= Math.imul(k, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= words.length;
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A number in [0, 1) from integers. */
export function unitOf(...words: readonly number[]): number {
  return hashOf(...words) / 0x1_0000_0000;
}

/** The numbers 0..count-1 in an order that the seed decides (Fisher-Yates). */
export function permutation(seed: number, count: number): readonly number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let index = count - 1; index > 0; index--) {
    const other = Math.floor(unitOf(seed, 0x5eed, index) * (index + 1));
    const here = order[index] ?? index;
    order[index] = order[other] ?? other;
    order[other] = here;
  }
  return order;
}

/**
 * The standard normal distribution's quantile function (Acklam's rational approximation, relative error below 1.2e-9).
 * `probability` is in (0, 1).
 */
export function normalQuantile(probability: number): number {
  const a = [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716];
  const b = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572];
  const c = [-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968];
  const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416];
  const polynomial = (coefficients: readonly number[], last: number, x: number): number =>
    coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0) * x + last;
  const low = 0.02425;
  if (probability < low || probability > 1 - low) {
    const q = Math.sqrt(-2 * Math.log(Math.min(probability, 1 - probability)));
    const tail = polynomial(c, 2.938163982698783, q) / polynomial(d, 1, q);
    return probability < low ? tail : -tail;
  }
  const q = probability - 0.5;
  const r = q * q;
  return (polynomial(a, 2.506628277459239, r) * q) / polynomial(b, 1, r);
}
