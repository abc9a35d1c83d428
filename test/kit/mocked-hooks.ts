import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";

type Answer = (error: Error | null, response: object) => void;

/**
 * Pulumi's mocks say that they know resource hooks, and then never answer when one is registered: a program with a hook
 * would hang. Under mocks nothing is ever updated, so it is enough to say yes.
 */
export function mockHooks(): void {
  Object.assign(MockMonitor.prototype, {
    registerResourceHook: (_request: unknown, answer: Answer) => answer(null, {}),
  });
}
