/** `make fixtures`: writes the inventories and previews that the suite `stacks` compares with. */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { runMain, step, UserError } from "../../tools/terminal";
import { INVENTORY_STACKS, inventoryFile, inventoryText, PREVIEW_CASES, previewFile, previewOf } from "./cases";
import { EchoWorkspace } from "./workspace";

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

async function main(): Promise<number> {
  const workspace = EchoWorkspace.create();
  try {
    for (const stack of INVENTORY_STACKS) {
      await step(`stack ${stack} through the echo provider`, async () => {
        await workspace.makeStack(stack);
        await workspace.up(stack);
        write(inventoryFile(stack), await inventoryText(workspace, stack));
      });
    }
    for (const each of PREVIEW_CASES) {
      await step(`preview ${each.name}`, async () => {
        const { text, code, problems } = await previewOf(workspace, each);
        if (code !== each.exitCode) {
          const wanted = `ended with ${String(code)} instead of ${String(each.exitCode)}`;
          throw new UserError(`preview ${each.name} ${wanted}:\n${text}\n${problems}`);
        }
        write(previewFile(each.name), text);
      });
    }
  } finally {
    workspace.remove();
  }
  return 0;
}

runMain(main);
