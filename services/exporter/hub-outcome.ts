/** What makes a shard's hub count as failed, so that the samples may go elsewhere (facts: the hub's failover signals). */
export type FailureKind = "refused" | "timeout" | "empty-reply" | "full" | "status-5xx" | "unexpected-status";

/** What became of one push to one hub. */
export type HubOutcome =
  | { readonly kind: "stored" }
  | { readonly kind: "failed"; readonly failure: FailureKind; readonly detail: string }
  /** The hub says that the body itself is bad (4xx but 406): no other hub will like it better. */
  | { readonly kind: "bad-payload"; readonly detail: string };
