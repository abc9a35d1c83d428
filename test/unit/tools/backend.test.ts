import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findBackend, hasStaleLocks, prepareBackend } from "../../../tools/backend";
import { ledgerDirectory, stateDirectory } from "../../../tools/paths";

let home = "";

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "backend-"));
});

afterEach(() => {
  rmSync(home, { recursive: true });
});

function logIn(current: string, directory = join(home, ".pulumi")): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "credentials.json"), JSON.stringify({ current, accounts: {} }));
}

describe("the backend", () => {
  test("is a directory of our own with an empty passphrase when the user is not logged in", () => {
    const state = join(home, ".local", "state", "scaled-prometheus");
    const backend = findBackend({ HOME: home });
    expect(backend).toEqual({
      owner: "ours",
      directory: state,
      environment: {
        PULUMI_BACKEND_URL: `file://${state}`,
        PULUMI_CONFIG_PASSPHRASE: "",
        PULUMI_SKIP_UPDATE_CHECK: "true",
      },
    });
    prepareBackend(backend);
    expect(statSync(state).mode & 0o777).toBe(0o700);
  });

  test("is the user's when they chose one, and nothing is set for it", () => {
    expect(findBackend({ HOME: home, PULUMI_BACKEND_URL: "s3://bucket" })).toEqual({
      owner: "user",
      directory: undefined,
      environment: { PULUMI_SKIP_UPDATE_CHECK: "true" },
    });
    expect(findBackend({ HOME: home, PULUMI_ACCESS_TOKEN: "x" }).owner).toBe("user");
    logIn("file:///srv/state");
    expect(findBackend({ HOME: home })).toMatchObject({ owner: "user", directory: "/srv/state" });
    prepareBackend(findBackend({ HOME: home, PULUMI_BACKEND_URL: `file://${home}/elsewhere` }));
    expect(existsSync(join(home, "elsewhere"))).toBe(false);
  });

  test("finds the login where Pulumi keeps it", () => {
    logIn("https://api.example", join(home, "a"));
    expect(findBackend({ HOME: home }).owner).toBe("ours");
    expect(findBackend({ HOME: home, PULUMI_HOME: join(home, "a") }).owner).toBe("user");
    expect(findBackend({ HOME: home, PULUMI_CREDENTIALS_PATH: join(home, "a") }).owner).toBe("user");
    logIn("", join(home, "a"));
    expect(findBackend({ HOME: home, PULUMI_HOME: join(home, "a") }).owner).toBe("ours");
    writeFileSync(join(home, "a", "credentials.json"), "{broken");
    expect(findBackend({ HOME: home, PULUMI_HOME: join(home, "a") }).owner).toBe("ours");
  });

  test("is the local cluster's directory when the caller names it, also for a logged-in user", () => {
    logIn("https://api.example");
    const environment = { HOME: home, SCALED_PROMETHEUS_BACKEND_DIR: join(home, "cluster") };
    expect(findBackend(environment)).toMatchObject({ owner: "ours", directory: join(home, "cluster") });
    expect(findBackend({ ...environment, PULUMI_BACKEND_URL: "s3://x" }).owner).toBe("user");
  });

  test("leaves a passphrase alone", () => {
    const environment = { HOME: home, PULUMI_CONFIG_PASSPHRASE_FILE: "/secret" };
    expect(findBackend(environment).environment).not.toHaveProperty("PULUMI_CONFIG_PASSPHRASE");
  });

  test("state and ledgers follow the same variables", () => {
    expect(stateDirectory({ HOME: home, SCALED_PROMETHEUS_STATE: "/s" })).toBe("/s");
    expect(stateDirectory({ HOME: home, SCALED_PROMETHEUS_STATE: "/s", SCALED_PROMETHEUS_BACKEND_DIR: "/b" })).toBe(
      "/b",
    );
    expect(ledgerDirectory("org/p/dev", { SCALED_PROMETHEUS_STATE: "/s" })).toBe("/s/feeds/org_p_dev");
  });
});

describe("locks", () => {
  function lock(name: string, content: unknown): void {
    const directory = join(home, ".pulumi", "locks", "organization", "scaled-prometheus", "dev");
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  const stale = (): boolean =>
    hasStaleLocks(findBackend({ PULUMI_BACKEND_URL: `file://${home}` }), "scaled-prometheus", "dev");
  // The largest process number of Linux is 2^22.
  const dead = { pid: 2 ** 22 + 1, username: "u", hostname: hostname(), timestamp: "2026-11-22T12:00:00Z" };

  test("are stale only when every one was left by a dead process of this machine", () => {
    expect(stale()).toBe(false);
    lock("a.json", dead);
    expect(stale()).toBe(true);
    lock("b.json", { ...dead, hostname: "another" });
    expect(stale()).toBe(false);
  });

  test("of a running pulumi, and unreadable ones, are not", () => {
    lock("a.json", "{");
    expect(stale()).toBe(false);
    // A number that was given to another program since: that program is no pulumi.
    lock("a.json", { ...dead, pid: process.pid });
    expect(stale()).toBe(existsSync("/proc/self/comm"));
  });
});
