/**
 * Phases of switching object storage on for a pipeline that runs already (design, section 6). Three properties of the
 * parts make them necessary: a sidecar uploads only blocks that were never compacted, Prometheus compacts a block that
 * no upload file mentions only when there is such a file, and local retention ignores uploads.
 */
export const STORAGE_PHASES = ["empty-meta", "backlog", "steady", "shrunk"] as const;

/** One of {@link STORAGE_PHASES}. */
export type StoragePhase = (typeof STORAGE_PHASES)[number];

/** What the shards do in a phase. */
export interface PhasePlan {
  /** Sidecars upload. */
  readonly uploads: boolean;
  /** They upload blocks that were compacted before uploads began, too. */
  readonly uploadsCompacted: boolean;
  /** Prometheus compacts its own blocks, those that are uploaded; it must not while compacted ones are uploaded. */
  readonly compacts: boolean;
  /** Local disks keep only `retention.local` instead of `retention.sharded`. */
  readonly shrinks: boolean;
}

/** What the shards do in a phase. */
export function phasePlan(phase: StoragePhase): PhasePlan {
  switch (phase) {
    case "empty-meta":
      // The empty upload file holds back the compaction of every block that is not uploaded yet.
      return { uploads: false, uploadsCompacted: false, compacts: true, shrinks: false };
    case "backlog":
      return { uploads: true, uploadsCompacted: true, compacts: false, shrinks: false };
    case "steady":
      return { uploads: true, uploadsCompacted: false, compacts: true, shrinks: false };
    case "shrunk":
      return { uploads: true, uploadsCompacted: false, compacts: true, shrinks: true };
  }
}

/** What a stack is in: a phase, or `off` for one that was deployed without object storage. */
export type DeployedPhase = StoragePhase | "off";

/**
 * The phases that may follow what is deployed; undefined stands for a stack that is not deployed yet. Forward one step
 * at a time, and back to any earlier one: uploading again what is in the bucket already does nothing. Leaving `shrunk`
 * only lets the local disks grow again.
 */
export function allowedPhases(deployed: DeployedPhase | undefined): readonly DeployedPhase[] {
  if (deployed === undefined) return ["off", "steady", "shrunk", "empty-meta", "backlog"];
  if (deployed === "off") return ["off", "empty-meta"];
  const reached = STORAGE_PHASES.indexOf(deployed);
  return ["off", ...STORAGE_PHASES.slice(0, reached + 2)];
}

/** Why a step would lose history, or undefined when it loses none. */
export function phaseProblem(deployed: DeployedPhase | undefined, wanted: DeployedPhase): string | undefined {
  const allowed = allowedPhases(deployed);
  if (allowed.includes(wanted)) return undefined;
  const next = allowed.at(-1) ?? "off";
  const reason =
    wanted === "shrunk"
      ? "local disks may forget only what is in the bucket"
      : "a sidecar uploads no block that was compacted before, so that part of the history would never reach the bucket";
  return (
    `objectStorage.phase is ${wanted}, and the stack's is ${String(deployed)}: ${reason}; ` +
    `set objectStorage.phase to ${next} first`
  );
}
