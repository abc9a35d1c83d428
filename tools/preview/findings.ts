/** What the policy packs say about a preview, read from the engine's event log. */

import { z } from "zod";

const eventSchema = z.looseObject({
  policyEvent: z
    .looseObject({
      resourceUrn: z.string().nullish(),
      message: z.string(),
      policyName: z.string(),
      enforcementLevel: z.string(),
      severity: z.string().nullish(),
    })
    .nullish(),
});

/** A policy that a resource, or the whole stack, does not keep. */
export interface Finding {
  readonly policy: string;
  /** Mandatory ones stop an `up`. */
  readonly isMandatory: boolean;
  readonly severity: string | undefined;
  /** Name of the resource; undefined for the whole stack. */
  readonly resource: string | undefined;
  readonly message: string;
}

/** Reads the findings of an event log: one JSON object a line. */
export function readFindings(log: string): readonly Finding[] {
  return log.split("\n").flatMap((line): readonly Finding[] => {
    if (!line.includes('"policyEvent"')) return [];
    const parsed = eventSchema.safeParse(JSON.parse(line));
    const event = parsed.success ? parsed.data.policyEvent : undefined;
    if (event === undefined || event === null || event.enforcementLevel === "disabled") return [];
    const resource = event.resourceUrn?.split("::").slice(3).join("::");
    return [
      {
        policy: event.policyName,
        isMandatory: event.enforcementLevel === "mandatory",
        severity: event.severity ?? undefined,
        resource: resource === "" ? undefined : resource,
        message: event.message.replaceAll(/<\{%[^%]*%\}>/g, "").trim(),
      },
    ];
  });
}

/** `severity policy (mandatory), resource: message` */
export function describeFinding({ policy, isMandatory, severity, resource, message }: Finding): string {
  const rank = severity === undefined ? "" : `${severity} `;
  const place = resource === undefined ? "" : `, ${resource}`;
  return `${rank}${policy} (${isMandatory ? "mandatory" : "advisory"})${place}: ${message.replaceAll(/\s*\n\s*/g, " ")}`;
}
