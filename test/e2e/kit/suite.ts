import { afterAll, beforeAll } from "vitest";

/** What the tests of a suite share, and how it is taken away. */
interface SharedWorld {
  close(): Promise<void>;
}

/** Makes a suite's world before its first test and closes it after the last; gives the way to it for use in tests. */
export function sharedWorld<W extends SharedWorld>(create: () => Promise<W>): () => W {
  const early = earlyWorld(create);
  beforeAll(() => early.made());
  return early.world;
}

/** A world that is made while tests run which don't need it. */
export interface EarlyWorld<W> {
  /** Ends when it is made; for the `beforeAll` of the tests that need it. */
  readonly made: () => Promise<void>;
  /** The way to it, for use in tests. */
  readonly world: () => W;
}

/** As `sharedWorld`, without waiting for the world before the first test. */
export function earlyWorld<W extends SharedWorld>(create: () => Promise<W>): EarlyWorld<W> {
  let making: Promise<W> | undefined;
  let made: W | undefined;
  beforeAll(() => {
    making = create();
    // Those who wait for it hear of it.
    making.catch(() => undefined);
  });
  afterAll(async () => {
    await (await making?.catch(() => undefined))?.close();
  });
  return {
    made: async () => {
      made = await making;
    },
    world: () => {
      if (made === undefined) throw new Error("what the suite's tests share could not be made");
      return made;
    },
  };
}
