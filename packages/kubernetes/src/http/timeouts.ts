import { Deadline } from "../deadline.ts";
import { TimeOut } from "./failure.ts";
import type { GetLimits, OnHead } from "./get.ts";
import { steadyTaker } from "./steady-taker.ts";

/** Runs an exchange within its times, with takers that are steady. */
export async function withTimeouts(
  { signal, headMs, silenceMs }: GetLimits,
  onHead: OnHead,
  run: (onHead: OnHead, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  using deadline = new Deadline(signal);
  deadline.set(headMs, new TimeOut("timeout", headMs));
  await run((head) => {
    const take = onHead(head);
    const listen = (): void => deadline.set(silenceMs, new TimeOut("silence", silenceMs));
    listen();
    return steadyTaker(
      (bytes, flow) => {
        deadline.touch();
        return take(bytes, flow);
      },
      { pause: () => deadline.clear(), resume: listen },
    );
  }, deadline.signal);
}
