import type { LogStream } from "@tailrace/core";
import { invalidInput } from "../../errors/problem.ts";

/** How the caller names a container instance. */
export interface InstanceName {
  pod: string | undefined;
  container: string | undefined;
  /** Needed where there are several. */
  restart: number | undefined;
}

/** @throws TailraceError BAD_REQUEST that says which part of the name is none, or is missing */
export function rawStream(streams: readonly LogStream[], { pod, container, restart }: InstanceName): LogStream {
  const ofPod = streams.filter((stream) => stream.pod === pod);
  if (ofPod.length === 0) throw refuse("pod", `must be one of ${names(streams.map((stream) => stream.pod))}`);
  const ofContainer = ofPod.filter((stream) => stream.container === container);
  if (ofContainer.length === 0)
    throw refuse("container", `must be one of ${names(ofPod.map((stream) => stream.container))}`);
  const [stream, another] = ofContainer.filter((each) => restart === undefined || each.restart === restart);
  if (stream !== undefined && another === undefined) return stream;
  throw refuse("restart", `must be one of ${names(ofContainer.map((each) => String(each.restart)))}`);
}

function refuse(path: string, rule: string): Error {
  return invalidInput([{ path, message: `${path} ${rule}` }]);
}

/** The first few, which are nearly always all. */
function names(all: readonly string[]): string {
  const different = [...new Set(all)];
  return different.length > 20 ? `${different.slice(0, 20).join(", ")}, …` : different.join(", ");
}
