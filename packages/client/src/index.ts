export { type ClientOptions, type TailraceClient, createClient } from "./client.ts";
export { type ClientErrorCode, type ClientErrorDetails, TailraceClientError, isTailraceError } from "./error.ts";
export type { RunHandle } from "./runs/handle.ts";
export type { RunVerbs } from "./runs/verbs.ts";
export type { LogOptions } from "./runs/follow.ts";
export type { DownloadOptions } from "./runs/download.ts";
export type { Persistence } from "./runs/persist.ts";
export { type ContainerSection, isEnded, parseContainerLogs } from "@tailrace/core";
export type {
  FieldIssue,
  GapReason,
  IsoTime,
  K6Resources,
  LogLevel,
  LogSearchResult,
  LogSource,
  Page,
  ResourceQuantities,
  Role,
  Run,
  RunStatus,
  RunSummary,
  Step,
  StepProgress,
  StreamRole,
  Team,
  TeamToken,
  Verdict,
} from "@tailrace/core";
export type {
  ApiErrorCode,
  AppRouter,
  CreatedToken,
  LogGapItem,
  LogItem,
  LogLineItem,
  LogOrigin,
  LogPage,
  LogSnapshot,
  LogStreamInfo,
  LogTruncationItem,
  RouterInputs,
  RouterOutputs,
  RunProgress,
  Scenario,
  ScenarioSummary,
} from "@tailrace/api";
