// Entry point of the plugins in bin/ and bin-kubernetes/.
require("tsx/cjs");
require("./main.ts");
