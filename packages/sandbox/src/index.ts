export type { AccessRule } from "./api/access.ts";
export type { Faults, Port, RequestFault } from "./faults.ts";
export type { RequestLogEntry } from "./http/api-server.ts";
export { createServingCertificate, type ServingCertificate } from "./http/certificate.ts";
export type { LogSelection } from "./kubelet/kubelet.ts";
export type { Output } from "./kubelet/process.ts";
export type { Program, ProgramContext, ProgramPod } from "./kubelet/program.ts";
export { startSandbox, type Sandbox, type SandboxOptions } from "./sandbox.ts";
