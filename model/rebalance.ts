/**
 * Moves as little weight as it can from full bins to others until every bin is between its limits. Pure and
 * deterministic: ties are broken by the order in which bins and loads are given.
 */

/** What may be moved as a whole. */
export interface Load {
  /** Whole number, at least 0. */
  readonly weight: number;
  /** Position of the bin in which it is. */
  readonly bin: number;
  /** Positions of the bins where it may be, best first. */
  readonly order: readonly number[];
  /** It stays where it is. */
  readonly isFrozen?: boolean;
  /** It moves anyway, so that it does not matter where to. */
  readonly isOnItsWay?: boolean;
}

/** Where loads are. */
export interface Bin {
  /** Weight that is here whatever is moved. */
  readonly fixed: number;
  /** Least and most weight that it should hold, the fixed weight included. */
  readonly lower: number;
  readonly upper: number;
}

/**
 * - `gain`: each move brings the bins closer to their limits by half its weight or more; lumps may stay in the way.
 * - `level`: each move makes two bins more alike; at its end no two bins differ by more than a load of the fuller one.
 */
type RebalanceMode = "gain" | "level";

/**
 * What an exception is worth beside the gain of a move per weight (at most 2: out of a full bin, into an empty one). More
 * saves exceptions and costs movement: of the values tried, 0 to 1.1, this one keeps movement close to the ideal.
 */
const exceptionCost = 0.25;

/** A heavy load is not moved for a gain of less than its weight over this. */
const worthwhile = 2;

interface Move {
  readonly load: number;
  readonly to: number;
  /** Greater is better, compared from left to right. */
  readonly merit: readonly number[];
}

/** What is aimed at; one entry of each list for a bin. */
export interface Aims {
  /** Bins within these limits are left alone. */
  readonly trigger: readonly Bin[];
  /** To these limits the others are brought, where that takes no move in vain. */
  readonly target: readonly Bin[];
  /** These limits are worth every move. */
  readonly hard: readonly Bin[];
}

/** The bin of each load afterwards, in the order of `loads`. Settled: from there, the same aims move nothing. */
export function settle(loads: readonly Load[], aims: Aims): readonly number[] {
  let current = loads.map(({ bin }) => bin);
  for (let round = 0; round < 8; round += 1) {
    const next = settleOnce(
      loads.map((load, at) => ({ ...load, bin: current[at] ?? load.bin })),
      aims,
    );
    if (next.every((bin, at) => bin === current[at])) break;
    current = [...next];
  }
  return current;
}

function settleOnce(loads: readonly Load[], { trigger, target, hard }: Aims): readonly number[] {
  const before = loads.map(({ bin }) => bin);
  const weights = weightsOf(loads, trigger, before);
  if (isWithin(weights, trigger)) return before;
  // A bin that the trigger leaves alone needs not reach the target; it must only not get further from it.
  const widened = target.map((bin, at) => {
    const { lower, upper } = trigger[at] ?? bin;
    const weight = weights[at] ?? 0;
    if (weight < lower || weight > upper) return bin;
    return { ...bin, lower: Math.min(bin.lower, weight), upper: Math.max(bin.upper, weight) };
  });
  const near = rebalance(loads, widened, "gain");
  const reached = weightsOf(loads, hard, near);
  const wasHard = isWithin(weights, hard);
  if (isWithin(reached, wasHard ? trigger : hard)) return near;
  if (wasHard) return before;
  const lean = rebalance(loads, hard, "gain");
  const moved = loads.map((load, at) => ({ ...load, bin: lean[at] ?? load.bin }));
  const level = rebalance(moved, hard, "level");
  const good = [lean, near, level].filter((bins) => isWithin(weightsOf(loads, hard, bins), hard));
  return good.sort((left, right) => costOf(loads, left) - costOf(loads, right))[0] ?? level;
}

/** Weight that is moved and need not be. */
function costOf(loads: readonly Load[], bins: readonly number[]): number {
  return loads.reduce(
    (sum, { weight, bin, isOnItsWay = false }, at) => sum + (isOnItsWay || bins[at] === bin ? 0 : weight),
    0,
  );
}

function isWithin(weights: readonly number[], bins: readonly Bin[]): boolean {
  return bins.every(({ lower, upper }, at) => (weights[at] ?? 0) >= lower && (weights[at] ?? 0) <= upper);
}

/** The bin of each load after all moves that one mode finds. */
function rebalance(loads: readonly Load[], bins: readonly Bin[], mode: RebalanceMode): readonly number[] {
  const state = new State(loads, bins, mode);
  while (state.step());
  return state.bins;
}

/** Weight of each bin when the loads are in the bins `where`. */
function weightsOf(loads: readonly Load[], bins: readonly Bin[], where: readonly number[]): readonly number[] {
  const weights = bins.map(({ fixed }) => fixed);
  loads.forEach(({ weight }, at) => {
    const bin = where[at] ?? 0;
    weights[bin] = (weights[bin] ?? 0) + weight;
  });
  return weights;
}

class State {
  readonly bins: number[];
  readonly #loads: readonly Load[];
  readonly #limits: readonly Bin[];
  readonly #mode: RebalanceMode;
  readonly #weights: number[];

  constructor(loads: readonly Load[], bins: readonly Bin[], mode: RebalanceMode) {
    this.#loads = loads;
    this.#limits = bins;
    this.#mode = mode;
    this.bins = loads.map(({ bin }) => bin);
    this.#weights = [...weightsOf(loads, bins, this.bins)];
  }

  /** Makes the best move that helps the worst bin that can be helped; false when there is none. */
  step(): boolean {
    const worst = this.#weights
      .map((weight, bin) => ({ bin, beyond: this.#beyond(bin, weight) }))
      .filter(({ beyond }) => beyond > 0)
      .sort((left, right) => right.beyond - left.beyond || left.bin - right.bin);
    for (const { bin } of worst) {
      const move = this.#bestMove(bin);
      if (move === undefined) continue;
      const weight = this.#loads[move.load]?.weight ?? 0;
      const from = this.bins[move.load] ?? 0;
      this.#weights[from] = this.#weight(from) - weight;
      this.#weights[move.to] = this.#weight(move.to) + weight;
      this.bins[move.load] = move.to;
      return true;
    }
    return false;
  }

  #weight(bin: number): number {
    return this.#weights[bin] ?? 0;
  }

  /** How far a bin of this weight is outside its limits. */
  #beyond(bin: number, weight: number): number {
    const { lower, upper } = this.#limits[bin] ?? { lower: 0, upper: 0 };
    return Math.max(0, weight - upper, lower - weight);
  }

  #bestMove(bin: number): Move | undefined {
    const isOver = this.#weight(bin) > (this.#limits[bin]?.upper ?? 0);
    let best: Move | undefined;
    this.#loads.forEach((load, at) => {
      if (load.isFrozen === true || load.weight === 0) return;
      const from = this.bins[at] ?? 0;
      if (isOver ? from !== bin : from === bin) return;
      load.order.forEach((to, rank) => {
        if (to === from || (!isOver && to !== bin)) return;
        const merit = this.#merit(load, from, to, rank);
        if (merit !== undefined && isBetter(merit, best?.merit)) best = { load: at, to, merit };
      });
    });
    return best;
  }

  /** Undefined: the move does not help. */
  #merit(load: Load, from: number, to: number, rank: number): readonly number[] | undefined {
    const { weight, order, isOnItsWay = false } = load;
    const [source, target] = [this.#weight(from), this.#weight(to)];
    if (this.#mode === "level") {
      const change = weight * (source - target - weight);
      return change > 0 ? [change, -rank] : undefined;
    }
    const gain =
      this.#beyond(from, source) -
      this.#beyond(from, source - weight) +
      this.#beyond(to, target) -
      this.#beyond(to, target + weight);
    if (gain <= 0 || (!isOnItsWay && gain * worthwhile < weight)) return undefined;
    // Leaving the bin of its choice costs a load an exception in the table, coming back saves one.
    const exceptions = Number(to !== order[0]) - Number(from !== order[0]);
    return [gain / weight - exceptionCost * exceptions + Number(isOnItsWay), weight, -rank];
  }
}

function isBetter(merit: readonly number[], other: readonly number[] | undefined): boolean {
  if (other === undefined) return true;
  const at = merit.findIndex((value, position) => value !== other[position]);
  return at >= 0 && (merit[at] ?? 0) > (other[at] ?? 0);
}
