import type { NodeLogs } from "@tailrace/core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { NodeAccess } from "../../src/collector/node-access.ts";
import { collectLog } from "../support/collect-log.ts";

const NODE = { name: "one", address: "10.0.0.1" };
const ANOTHER = { name: "another", address: "10.0.0.2" };
const LOGS: NodeLogs = { by: "kubelet", list: () => Promise.reject(), read: () => Promise.reject() };

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

test("no node's files are read before that is allowed, nor those of a pod without a node", () => {
  const access = new NodeAccess(collectLog().log);
  expect(access.on(NODE)).toBeNull();
  expect(access.again(NODE)).toBeNull();
  access.allow(LOGS);
  expect(access.on(NODE)).toBe(LOGS);
  expect(access.on(null)).toBeNull();
  expect(access.again(null)).toBeNull();
});

test("a node that has failed is left alone for a minute, but for streams that have no other way", () => {
  const { log, lines } = collectLog();
  const access = new NodeAccess(log);
  access.allow(LOGS);
  access.failed(NODE, "HTTP 500");
  access.failed(NODE, "HTTP 500");
  expect(lines().map(({ node, reason }) => [node, reason])).toEqual([["one", "HTTP 500"]]);
  expect([access.on(NODE), access.again(NODE), access.on(ANOTHER)]).toEqual([null, LOGS, LOGS]);
  vi.advanceTimersByTime(59_999);
  expect(access.on(NODE)).toBeNull();
  vi.advanceTimersByTime(1);
  expect(access.on(NODE)).toBe(LOGS);
});

test("a node that works again is read by all, and the next failure is told again", () => {
  const { log, lines } = collectLog();
  const access = new NodeAccess(log);
  access.allow(LOGS);
  access.works(NODE);
  access.failed(NODE, "HTTP 500");
  access.works(NODE);
  expect(access.on(NODE)).toBe(LOGS);
  access.failed(NODE, "HTTP 503");
  expect(lines().map(({ level }) => level)).toEqual([40, 30, 40]);
});
