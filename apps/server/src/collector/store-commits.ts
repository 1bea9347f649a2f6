import type { CommitOutcome, LogStore, StreamCommit } from "@tailrace/core";
import { joinCommits } from "./join-commits.ts";

/**
 * Stores commits, those of one stream in one piece. What another holder has the stream of is handed over to it.
 *
 * @returns an outcome for each
 */
export async function storeCommits(
  store: Pick<LogStore, "commitLogs" | "handOver">,
  commits: readonly StreamCommit[],
): Promise<CommitOutcome[]> {
  const { joined, indexOf } = joinCommits(commits);
  const together = await store.commitLogs(joined);
  const outcomes: CommitOutcome[] = [];
  for (const [index, commit] of commits.entries()) {
    const place = indexOf[index]!;
    const isPart = joined[place] !== commit;
    let outcome = together[place]!;
    // Of several some may be stored already, by a try whose answer was lost.
    if (outcome === "lost" && isPart) [outcome] = (await store.commitLogs([commit])) as [CommitOutcome];
    if (outcome === "lost") await store.handOver(commit);
    outcomes.push(outcome);
  }
  return outcomes;
}
