import { describe, expect, test } from "vitest";
import { checkServing, readSettings, SettingsError } from "../src/settings/read.ts";

function problems(env: Record<string, string>): readonly string[] {
  try {
    checkServing(readSettings(env));
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

const TOKEN = "an-admin-token-of-some-length";

describe("readSettings", () => {
  test("has defaults for everything but the admin token", () => {
    const settings = readSettings({});
    expect(settings).toMatchObject({
      port: 4173,
      host: "127.0.0.1",
      auth: "token",
      runnerImage: "grafana/k6:2.2.0",
      maxActiveRuns: 10,
      snapshotIntervalMs: 5000,
      logTailLines: 1000,
      nodeLogs: "auto",
      kubeletPort: 10_250,
      kubeletInsecure: false,
      finalizer: true,
      spoolBytes: 1024 ** 3,
      logRetentionDays: null,
      deadlineCreationMs: 60_000,
      deadlineInitializationMs: 300_000,
      deadlineImageMs: 120_000,
      deadlineStopMs: 45_000,
      cleanupAfterMs: 3_600_000,
    });
    expect(problems({})).toEqual([expect.stringMatching(/^TAILRACE_ADMIN_TOKEN is not set/)]);
    expect(problems({ TAILRACE_ADMIN_TOKEN: TOKEN })).toEqual([]);
  });

  test.each([
    [{ PORT: "70000" }, 'PORT must be an integer from 0 to 65535, got "70000"'],
    [{ PORT: "80.5" }, 'PORT must be an integer from 0 to 65535, got "80.5"'],
    [
      { TAILRACE_SNAPSHOT_INTERVAL: "5" },
      'TAILRACE_SNAPSHOT_INTERVAL must be a duration such as 500ms, 5s, 2m or 24h, got "5"',
    ],
    [{ TAILRACE_SPOOL_LIMIT: "1GB" }, 'TAILRACE_SPOOL_LIMIT must be a size such as 512MiB or 10GiB, got "1GB"'],
    [{ TAILRACE_LOG_RETENTION: "0d" }, 'TAILRACE_LOG_RETENTION must be from 1d to 3650d, or never, got "0d"'],
    [{ TAILRACE_LOG_RETENTION: "1h" }, 'TAILRACE_LOG_RETENTION must be from 1d to 3650d, or never, got "1h"'],
    [{ TAILRACE_KUBELET_PORT: "0" }, 'TAILRACE_KUBELET_PORT must be an integer from 1 to 65535, got "0"'],
    [
      { TAILRACE_CLEANUP_AFTER: "soon" },
      'TAILRACE_CLEANUP_AFTER must be a duration such as 500ms, 5s, 2m or 24h, or never, got "soon"',
    ],
    [{ TAILRACE_VOLUMES: "{}" }, 'TAILRACE_VOLUMES must be a list of Volume objects as JSON, got "{}"'],
    [{ TAILRACE_ADMIN_TOKEN: "short" }, "TAILRACE_ADMIN_TOKEN must have 16 characters or more"],
    [{ TAILRACE_DEADLINE_CREATON: "1m" }, "TAILRACE_DEADLINE_CREATON is not a setting of Tailrace"],
  ])("%j is refused by name", (env, problem) => {
    expect(problems({ TAILRACE_ADMIN_TOKEN: TOKEN, ...env })).toContainEqual(problem);
  });

  test("names every problem at once, and reads empty variables as not set", () => {
    expect(problems({ PORT: "x", TAILRACE_AUTH: "open" })).toHaveLength(2);
    expect(readSettings({ PORT: "" }).port).toBe(4173);
  });

  test("the open mode is refused where others can connect", () => {
    expect(problems({ TAILRACE_AUTH: "none", HOST: "0.0.0.0" })).toEqual([
      expect.stringContaining("refused with HOST=0.0.0.0"),
    ]);
    for (const HOST of ["127.0.0.1", "localhost", "::1"]) expect(problems({ TAILRACE_AUTH: "none", HOST })).toEqual([]);
  });

  test("reads the installation's pod settings as JSON", () => {
    const settings = readSettings({
      TAILRACE_POD_SECURITY_CONTEXT: '{"runAsNonRoot":true}',
      TAILRACE_CLEANUP_AFTER: "never",
    });
    expect(settings.securityContext).toEqual({ runAsNonRoot: true });
    expect(settings.cleanupAfterMs).toBeNull();
  });

  test("reads what is set of the collector", () => {
    const settings = readSettings({
      TAILRACE_NODE_LOGS: "proxy",
      TAILRACE_KUBELET_INSECURE: "true",
      TAILRACE_FINALIZER: "false",
      TAILRACE_SPOOL_LIMIT: "512MiB",
      TAILRACE_LOG_RETENTION: "90d",
    });
    expect(settings).toMatchObject({ nodeLogs: "proxy", kubeletInsecure: true, finalizer: false });
    expect(settings).toMatchObject({ spoolBytes: 512 * 1024 ** 2, logRetentionDays: 90 });
  });
});
