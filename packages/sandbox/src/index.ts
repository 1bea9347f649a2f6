export type { Faults, RequestFault } from "./faults.ts";
export { startSandbox, type Sandbox, type SandboxOptions } from "./sandbox.ts";
