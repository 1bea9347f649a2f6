import { expect, it } from "vitest";
import { effectiveResources } from "./resources.ts";

const defaults = { requests: { cpu: "500m", memory: "128Mi" }, limits: { memory: "256Mi" } };

it.each([
  [undefined, undefined, undefined],
  [{}, {}, undefined],
  [undefined, defaults, defaults],
  [{ requests: { cpu: "2" } }, undefined, { requests: { cpu: "2" } }],
  [{ requests: { memory: "1Gi" } }, defaults, { requests: { cpu: "500m", memory: "1Gi" } }],
  [{ limits: { cpu: "2" } }, defaults, { requests: { memory: "128Mi" }, limits: { cpu: "2", memory: "256Mi" } }],
])("%j over %j is %j", (asked, installation, result) => {
  expect(effectiveResources(asked, installation)).toEqual(result);
});
