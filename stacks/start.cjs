// Pulumi's entry point. It loads TypeScript by itself, without a type check (that is `make check`), because language
// hosts differ in which of the runtime options in Pulumi.yaml they honour.
require("tsx/cjs");

// A killed engine leaves this process behind: it can't write any more, and Pulumi's handler of uncaught errors would write
// of that, for ever (seen: a whole core and 4 GB after six minutes).
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => process.exit(1));

module.exports = require("./index.ts");
