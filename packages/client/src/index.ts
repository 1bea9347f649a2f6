export { type ClientOptions, type TailraceClient, createClient } from "./client.ts";
export { type ClientErrorCode, type ClientErrorDetails, TailraceClientError, isTailraceError } from "./error.ts";
export { type ContainerSection, isEnded, parseContainerLogs } from "@tailrace/core";
export type {
  FieldIssue,
  IsoTime,
  K6Resources,
  Page,
  ResourceQuantities,
  Role,
  Run,
  RunStatus,
  RunSummary,
  Step,
  Team,
  TeamToken,
  Verdict,
} from "@tailrace/core";
export type {
  ApiErrorCode,
  AppRouter,
  CreatedToken,
  LogSnapshot,
  RouterInputs,
  RouterOutputs,
  Scenario,
  ScenarioSummary,
} from "@tailrace/api";
