/** `make policies`: runs the pack over every stack of the repository, in this process, and ends with `N passed, N failed`. */
import { describeFinding, evaluate } from "../policies/kit/evaluate";
import { POLICIES } from "../policies/pack";
import { runMain, say } from "../tools/terminal";
import { record, stackConfig, stackNames } from "./policy/kit/record";

async function main(): Promise<number> {
  let failed = 0;
  const stacks = stackNames();
  for (const stack of stacks) {
    const resources = await record(stackConfig(stack));
    const findings = evaluate(POLICIES, resources);
    say(
      `==> stack ${stack}: ${String(resources.length)} resources, ${String(POLICIES.length)} policies, ` +
        `${String(findings.length)} findings`,
    );
    for (const finding of findings) say(`  ${describeFinding(finding)}`);
    if (findings.length > 0) failed += 1;
  }
  process.stdout.write(`${String(stacks.length - failed)} passed, ${String(failed)} failed\n`);
  return failed === 0 ? 0 : 1;
}

runMain(main);
