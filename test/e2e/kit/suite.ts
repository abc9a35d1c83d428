import { afterAll, beforeAll } from "vitest";

/** What the tests of a suite share, and how it is taken away. */
interface SharedWorld {
  close(): Promise<void>;
}

/** Makes a suite's world before its first test and closes it after the last; gives the way to it for use in tests. */
export function sharedWorld<W extends SharedWorld>(create: () => Promise<W>): () => W {
  let made: W | undefined;
  beforeAll(async () => {
    made = await create();
  });
  afterAll(async () => {
    await made?.close();
  });
  return () => {
    if (made === undefined) throw new Error("what the suite's tests share could not be made");
    return made;
  };
}
