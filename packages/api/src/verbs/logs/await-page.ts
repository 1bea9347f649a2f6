import type { z } from "zod";
import { NEVER, type Call } from "../../context.ts";
import { LogNews } from "../../logs/log-news.ts";
import type { logsPage } from "../../schemas/logs.ts";
import { pageLogs, type LogPage } from "./page.ts";

type Input = z.output<typeof logsPage>;

/**
 * A page that, read `forward`, waits up to `wait` for something to show where nothing is stored yet. It is empty where that
 * did not come, where nothing more can come, and where the server ends.
 *
 * @throws as {@link pageLogs}
 */
export async function awaitPage(call: Call<Input>): Promise<LogPage> {
  const { ctx, input, signal = NEVER } = call;
  if (input.wait === undefined || input.direction === "backward") return pageLogs(call);
  using news = new LogNews(ctx.store, input.runId);
  const deadline = performance.now() + input.wait;
  const either = AbortSignal.any([signal, ctx.closing]);
  let page = await pageLogs(call);
  let { scanned } = page;
  for (let left = input.wait; isBare(page) && left > 0 && !either.aborted; left = deadline - performance.now()) {
    await news.next(left, either);
    page = await pageLogs({ ...call, input: { ...input, cursor: page.nextCursor! } });
    scanned += page.scanned;
  }
  return { ...page, scanned };
}

/** True for a page that has nothing yet, and looked at everything that is there. */
function isBare({ items, nextCursor, complete }: LogPage): boolean {
  return items.length === 0 && nextCursor !== null && complete;
}
