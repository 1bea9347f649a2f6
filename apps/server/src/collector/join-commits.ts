import type { StreamCommit } from "@tailrace/core";

/** Commits in their order with at most one for each stream, and where each of the given ones went. */
export interface JoinedCommits {
  joined: StreamCommit[];
  indexOf: number[];
}

/** Joins consecutive commits of the same stream: the last one's position and counts stand for all. */
export function joinCommits(commits: readonly StreamCommit[]): JoinedCommits {
  const joined: StreamCommit[] = [];
  const places = new Map<string, number>();
  const indexOf = commits.map((commit) => {
    const key = `${commit.stream.id}/${commit.fence}`;
    const place = places.get(key);
    if (place === undefined) {
      places.set(key, joined.length);
      joined.push(commit);
      return joined.length - 1;
    }
    const before = joined[place]!;
    const chunks = [...before.chunks, ...commit.chunks];
    joined[place] = { ...commit, firstSeq: before.firstSeq, chunks, gaps: [...before.gaps, ...commit.gaps] };
    return place;
  });
  return { joined, indexOf };
}
