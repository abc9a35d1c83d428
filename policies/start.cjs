// Pulumi's entry point of the pack. It loads TypeScript by itself, without a type check (that is `make check`).
require("tsx/cjs");

module.exports = require("./index.ts");
