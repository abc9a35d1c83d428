/** Bad values of `query`: what is written, where it is wrong, what is shown of it, the rule and the fix. */
export const BAD_QUERY: readonly (readonly [string, Record<string, unknown>, string, string, string, string])[] = [
  [
    "a frontend without memory",
    { query: { frontend: { cacheSize: "1Ki" } } },
    "query.frontend.cacheSize",
    '"1Ki"',
    "a size from 1Mi to 64Gi with the unit Ki, Mi, Gi or Ti, such as 512Mi",
    'correct the value, or take the key out for the default "64Mi"',
  ],
  [
    "a range split into minutes",
    { query: { frontend: { splitInterval: "5m" } } },
    "query.frontend.splitInterval",
    '"5m"',
    "a duration from 1h to 30d, such as 15s, 30m, 1h30m or 15d",
    'correct the value, or take the key out for the default "1d"',
  ],
  [
    "a frontend as a plain value",
    { query: { frontend: { enable: false } } },
    "query.frontend.enable",
    "false",
    "query.frontend has no such key; it has enabled, splitInterval, cacheSize",
    'did you mean "enabled"?',
  ],
];
