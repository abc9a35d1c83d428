/**
 * Property tests draw other cases in every run; with PROPERTY_SEED=<number> always the same ones. `.ci/run` sets it, so that what
 * passed before it landed passes in CI.
 */
import fc from "fast-check";

const seed = process.env["PROPERTY_SEED"];
if (seed !== undefined && seed !== "") fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) });
