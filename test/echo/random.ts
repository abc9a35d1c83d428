import type { EchoPackage, EchoType } from "./provider";

const ID: EchoType = {
  required: ["byteLength"],
  replaces: ["byteLength", "keepers", "prefix"],
  computed: ({ byteLength }, { hash }) => ({ hex: hash.slice(0, 2 * Number(byteLength)) }),
};

/** What this project uses of Pulumi's provider `random`. */
export const randomPackage: EchoPackage = {
  version: "4.21.2",
  typeOf: (token) => (token === "random:index/randomId:RandomId" ? ID : undefined),
  functions: {},
};
