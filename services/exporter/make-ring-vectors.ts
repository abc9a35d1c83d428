import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ringVectorsText } from "./ring-vectors";

/** Writes ring-vectors.json beside this file: `npx tsx services/exporter/make-ring-vectors.ts`, then format it. */
writeFileSync(join(__dirname, "ring-vectors.json"), ringVectorsText());
