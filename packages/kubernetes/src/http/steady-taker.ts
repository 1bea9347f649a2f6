import type { Flow, TakeBytes } from "@tailrace/core";

/**
 * Makes pausing plain for what is below a taker: one that resumes before it has returned was never paused, and what is
 * below is resumed only where it was paused.
 */
export function steadyTaker(take: TakeBytes, on: { pause?: () => void; resume?: () => void } = {}): TakeBytes {
  let below: Flow | undefined;
  let taking = false;
  let wanted = true;
  const flow: Flow = {
    resume() {
      if (wanted) return;
      wanted = true;
      if (taking) return;
      on.resume?.();
      below?.resume();
    },
    stop: () => below?.stop(),
  };
  return (bytes, under) => {
    below = under;
    taking = true;
    wanted = false;
    const more = take(bytes, flow);
    taking = false;
    wanted ||= more;
    if (!wanted) on.pause?.();
    return wanted;
  };
}
