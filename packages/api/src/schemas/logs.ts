import { type LogLevel, MAX_PARALLELISM, type StreamRole } from "@tailrace/core";
import { z } from "zod";
import { MAX_WAIT_MS } from "../limits.ts";
import { id, teamId } from "./common.ts";
import { integer, list, oneOf } from "./list.ts";
import { text } from "./text.ts";
import { duration, instant } from "./times.ts";

const ROLES = ["initializer", "starter", "runner", "init", "other"] as const satisfies readonly StreamRole[];

const LEVELS = ["trace", "debug", "info", "warning", "error", "fatal", "none"] as const satisfies readonly (
  | LogLevel
  | "none"
)[];

const run = { teamId, runId: id("runId") };

/** Which containers' logs: those that are in every list that is given. */
const selection = {
  pods: list("pods", text("pods", 1, 253), { min: 1, max: 100 }).optional(),
  containers: list("containers", text("containers", 1, 63), { min: 1, max: 100 }).optional(),
  roles: list("roles", oneOf("roles", ROLES), { min: 1, max: ROLES.length }).optional(),
  runners: list("runners", integer("runners", 1, MAX_PARALLELISM), { min: 1, max: MAX_PARALLELISM }).optional(),
};

const patterns = (field: string) => list(field, text(field, 1, 500), { min: 0, max: 10 }).default([]);

/** Which lines. */
const filter = {
  include: patterns("include"),
  exclude: patterns("exclude"),
  includeRegex: patterns("includeRegex"),
  excludeRegex: patterns("excludeRegex"),
  ignoreCase: z.boolean("ignoreCase must be true or false").default(false),
  levels: list("levels", oneOf("levels", LEVELS), { min: 1, max: LEVELS.length }).optional(),
};

const period = { from: instant("from").optional(), until: instant("until").optional() };

function endsAfterStart(
  { from, until }: { from?: bigint | undefined; until?: bigint | undefined },
  check: z.RefinementCtx,
): void {
  if (from === undefined || until === undefined || from < until) return;
  check.addIssue({ code: "custom", path: ["until"], message: "until must be later than from" });
}

export const logsStreams = z.strictObject(run);

export const logsPage = z
  .strictObject({
    ...run,
    ...selection,
    ...filter,
    ...period,
    cursor: text("cursor", 1, 1000).optional(),
    direction: oneOf("direction", ["forward", "backward"]).default("forward"),
    before: integer("before", 0, 50).default(0),
    after: integer("after", 0, 50).default(0),
    limit: integer("limit", 1, 1000).default(200),
    wait: duration("wait", MAX_WAIT_MS).optional(),
  })
  .superRefine(endsAfterStart);

export const logsSearch = z
  .strictObject({ ...run, ...selection, ...filter, ...period, bucket: duration("bucket").optional() })
  .superRefine(endsAfterStart);

export const logsDownload = z
  .strictObject({
    ...run,
    ...selection,
    format: oneOf("format", ["text", "ndjson", "raw"]).default("text"),
    pod: text("pod", 1, 253).optional(),
    container: text("container", 1, 63).optional(),
    restart: integer("restart", 0, 1_000_000).optional(),
  })
  .superRefine(({ format, pod, container }, check) => {
    if (format !== "raw") return;
    const message = (field: string): string =>
      `${field} must be given where the format is raw, which is one container's`;
    if (pod === undefined) check.addIssue({ code: "custom", path: ["pod"], message: message("pod") });
    if (container === undefined) check.addIssue({ code: "custom", path: ["container"], message: message("container") });
  });
