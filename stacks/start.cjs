// Pulumi's entry point. It loads TypeScript by itself, without a type check (that is `make check`), because language
// hosts differ in which of the runtime options in Pulumi.yaml they honour.
require("tsx/cjs");

module.exports = require("./index.ts");
