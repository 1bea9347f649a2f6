/** What a page knows of one stream once its matches are chosen. */
export interface ContextQuestion {
  /** The seqs of the page's matches, ascending. */
  matches: readonly number[];
  /** Matches of other pages in the ranges that {@link contextReach} names, ascending. */
  others: readonly number[];
  before: number;
  after: number;
  /** The lines that the page was made of: from this seq on … */
  from: number;
  /** … to the one before this. */
  until: number;
  /** How many lines the stream has, or the seq from which on none is wanted. */
  lines: number;
}

export interface Context {
  /** The seqs of the lines that stand beside a match, ascending. */
  lines: number[];
  /** The page's bounds: moved outwards past what it shows, on the side to which the reading goes. */
  from: number;
  until: number;
}

/**
 * The context lines of a page that is one of several, so that each is on one page, whichever way and from wherever they
 * are read, and also where a stream grows meanwhile:
 *
 * - a line within `after` of the match before it is on the page that was made of it; a page goes on that far behind its
 *   last match, as long as there are lines;
 * - any other line within `before` of the match behind it is on that match's page.
 */
export function pageContext(question: ContextQuestion, direction: "forward" | "backward"): Context {
  const { matches, others, before, after, lines } = question;
  const all = [...others, ...matches].sort((a, b) => a - b);
  const { from, until } = moveBounds(question, direction);
  const own = new Set(matches);
  const context: number[] = [];
  for (const [index, match] of all.entries()) {
    const behindLast = (all[index - 1] ?? -after - 1) + after + 1;
    if (own.has(match)) for (let seq = Math.max(match - before, behindLast); seq < match; seq++) context.push(seq);
    const end = Math.min(match + after + 1, all[index + 1] ?? lines, lines, until);
    for (let seq = Math.max(match + 1, from); seq < end; seq++) context.push(seq);
  }
  return { lines: context, from, until };
}

function moveBounds(
  { matches, others, before, after, from, until, lines }: ContextQuestion,
  direction: "forward" | "backward",
): Pick<Context, "from" | "until"> {
  const first = matches[0];
  const last = matches.at(-1);
  if (first === undefined || last === undefined) return { from, until };
  if (direction === "forward") {
    const next = others.find((seq) => seq >= until) ?? lines;
    return { from, until: Math.max(until, Math.min(last + after + 1, next, lines)) };
  }
  const previous = others.findLast((seq) => seq < from) ?? -after - 1;
  return { from: Math.min(from, Math.max(first - before, previous + after + 1)), until };
}

/** A part of a stream: from a seq to the one before another. */
export interface SeqRange {
  from: number;
  until: number;
}

/** The lines outside of the page whose matches decide about its context: those before it, and those behind it. */
export function contextReach(
  { matches, before, after, from, until, lines }: Omit<ContextQuestion, "others">,
  direction: "forward" | "backward",
): { earlier: SeqRange; later: SeqRange } {
  const first = Math.min(from, (matches[0] ?? from) - before);
  const last = matches.at(-1);
  const end = direction === "forward" && last !== undefined ? Math.min(lines, last + after + 1) : until;
  return {
    earlier: { from: Math.max(0, first - after), until: from },
    later: { from: until, until: Math.max(until, end) },
  };
}
