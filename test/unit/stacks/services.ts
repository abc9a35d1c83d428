/** Stand-in for the bundle of our own services. */
export const SERVICES = { "services.cjs": "// services\n" };
