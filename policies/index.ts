import { PolicyPack } from "@pulumi/policy";
import { POLICIES } from "./pack";
import { toPulumi } from "./kit/pulumi";

/** The pack, for `pulumi preview|up --policy-pack policies`. Its constructor starts a server: nothing else may make one. */
export const pack = new PolicyPack("scaled-prometheus", {
  displayName: "Scaled Prometheus",
  description: "What the metrics pipeline must never become: its own constraints, and those of its pods and its cloud.",
  enforcementLevel: "mandatory",
  policies: POLICIES.map(toPulumi),
});
