import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "../plumbing/ask";
import type { Files } from "./rule-store";

/** The program beside could not load the rules. Anything else that goes wrong may pass by itself. */
export class Refused extends Error {
  constructor(message: string) {
    super(message);
    this.name = "Refused";
  }
}

/** The program that evaluates the rules. */
export interface Target {
  /** Whether it answers; rules are changed only under a program that can say what it thinks of them. */
  readonly isReady: () => Promise<boolean>;
  /**
   * Called before files change; what it returns is called after, with the files, and resolves when the program runs with
   * them. @throws Refused when it says no.
   */
  readonly expectChange: () => Promise<(files: Files) => Promise<void>>;
}

/** Milliseconds for one small answer of a program on loopback. */
const ANSWER_TIMEOUT = 5_000;

/** Milliseconds that a Ruler may take to load its rules. */
const RELOAD_TIMEOUT = 15_000;

/** Milliseconds for Prometheus to see a change (it looks every 5 s) and to load it. */
const PICK_UP_TIMEOUT = 15_000;

/** Longest reason that is handed on. */
const LONGEST_REASON = 1_000;

async function isReady(base: string): Promise<boolean> {
  return (await ask("GET", `${base}/-/ready`, ANSWER_TIMEOUT).catch(() => undefined))?.status === 200;
}

/** A Ruler: it reads its files again when it is told to. */
export function rulerTarget(base: string): Target {
  return {
    isReady: () => isReady(base),
    expectChange: () =>
      Promise.resolve(async () => {
        const { status, text } = await ask("POST", `${base}/-/reload`, RELOAD_TIMEOUT);
        if (status === 500) throw new Refused(text.trim().slice(0, LONGEST_REASON));
        if (status !== 200) throw new Error(`POST ${base}/-/reload: ${String(status)}`);
      }),
  };
}

interface ReloadState {
  readonly isSuccessful: boolean;
  /** Seconds since the epoch. */
  readonly succeededAt: number;
}

/** A Prometheus that looks at its files itself and has no reload endpoint: its metrics and its API say what it runs with. */
export function prometheusTarget(base: string, folder: string): Target {
  const reloadState = async (): Promise<ReloadState> => {
    const { status, text } = await ask("GET", `${base}/metrics`, ANSWER_TIMEOUT);
    const value = (name: string): number => Number(new RegExp(`^${name} (.+)$`, "m").exec(text)?.[1] ?? NaN);
    const succeededAt = value("prometheus_config_last_reload_success_timestamp_seconds");
    if (status !== 200 || Number.isNaN(succeededAt)) throw new Error(`${base}/metrics tells nothing of reloads`);
    return { isSuccessful: value("prometheus_config_last_reload_successful") === 1, succeededAt };
  };
  return {
    isReady: () => isReady(base),
    expectChange: async () => {
      const before = await reloadState();
      const startedAt = Date.now();
      return async (files) => {
        for (;;) {
          const now = await reloadState();
          if (now.isSuccessful && now.succeededAt * 1000 >= startedAt) break;
          if (before.isSuccessful && !now.isSuccessful) throw new Refused("Prometheus can't load it; its log says why");
          if (Date.now() - startedAt > PICK_UP_TIMEOUT) throw new Error("Prometheus has not read its rules again");
          await sleep(250);
        }
        await mustShow(base, folder, files);
      };
    },
  };
}

/** Every file with a rule in it is in the API's list of rules. */
async function mustShow(base: string, folder: string, files: Files): Promise<void> {
  const { text } = await ask("GET", `${base}/api/v1/rules`, ANSWER_TIMEOUT);
  const shown = new Set<unknown>(
    [...text.matchAll(/"file":("(?:[^"\\]|\\.)*")/g)].map((match): unknown => JSON.parse(match[1] ?? '""')),
  );
  const missing = Object.entries(files)
    .filter(([name, content]) => /^\s*(?:- )?(?:alert|record):/m.test(content) && !shown.has(`${folder}/${name}`))
    .map(([name]) => name);
  if (missing.length > 0) throw new Error(`Prometheus does not show the rules of ${missing.join(", ")}`);
}
