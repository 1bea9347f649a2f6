import fc from "fast-check";

/** What one line of the container is like. */
export type LineKind =
  | "k6"
  | "json"
  | "text"
  | "same"
  | "empty"
  | "crlf"
  | "binary"
  | "like-stamp"
  | "like-kubelet"
  | "piece"
  | "long"
  | "long-with-k6-inside"
  | "huge";

export interface Write {
  stderr: boolean;
  kind: LineKind;
  /** Bytes of a long line beyond 16 KiB. */
  size: number;
  /** False where only the first half is written now; the rest comes with the next line of the same standard stream. */
  whole: boolean;
  /** Until the next action, in milliseconds. */
  wait: number;
}

export type Action =
  | { do: "write"; write: Write }
  | { do: "pause"; ms: number }
  /** Lines that are all the same, and, where times are coarse, of the same time. */
  | { do: "alike"; count: number }
  /** A long line, and lines of the other standard stream that are written before it is finished. */
  | { do: "glue"; stderr: boolean; size: number; inside: LineKind[] }
  /** @param before - written between the renaming and the reopening @param after - written when the new file is there already, into the old one */
  | { do: "rotate"; fails: boolean; before: Write | null; after: Write | null };

/** Everything that happens to one container's output. */
export interface History {
  /** Decides what is not written down here. */
  seed: number;
  /** How entries get their times. */
  stamps: "increasing" | "identical" | "skewed" | "stepping";
  /** Minutes east of UTC. */
  zone: number;
  /** containerd closes its logger at a reopening, and so cuts any line in two; other runtimes do not. */
  cutsAtReopening: boolean;
  /** How many log files the kubelet keeps. */
  maxFiles: number;
  /** Faults that answers may have. */
  faults: number;
  /** How readily the kubelet falls behind, and the collector: 0 to 1. */
  slowness: number;
  actions: Action[];
}

/** What histories may have. */
export interface HistoryOptions {
  /**
   * `glued`: a line of one standard stream may be written while one of the other is not finished; `whole`: not so;
   * `one`: all lines are of one standard stream, and may be written in halves; `k6`: k6's log on stderr, and long lines on
   * stdout with one line of that log in each, without rotations.
   */
  mixing: "glued" | "whole" | "one" | "k6";
  /** Few faults, few rotations, and nobody is slow: most readers lose nothing. (Default: false) */
  calm?: boolean;
}

const STAMPS = ["increasing", "identical", "skewed", "stepping"] as const;

const kind = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom<LineKind[]>("k6", "json", "text") },
  {
    weight: 4,
    arbitrary: fc.constantFrom<LineKind[]>("same", "empty", "crlf", "binary", "like-stamp", "like-kubelet"),
  },
  { weight: 3, arbitrary: fc.constantFrom<LineKind[]>("piece", "long", "long") },
);

function glue(inside: LineKind[], most: number, stderr: fc.Arbitrary<boolean>): fc.Arbitrary<Action> {
  return fc.record({
    do: fc.constant("glue" as const),
    stderr,
    size: fc.nat(40_000),
    inside: fc.array(fc.constantFrom(...inside), { minLength: 1, maxLength: most }),
  });
}

function writes(mixing: HistoryOptions["mixing"]): fc.Arbitrary<Write> {
  return fc.record({
    stderr: mixing === "one" ? fc.constant(false) : mixing === "k6" ? fc.constant(true) : fc.boolean(),
    kind: mixing === "k6" ? fc.constantFrom<LineKind[]>("k6", "json") : kind,
    size: fc.oneof(fc.constantFrom(0, 1, 16_384, 16_385), fc.nat(45_000)),
    whole:
      mixing === "whole" || mixing === "k6"
        ? fc.constant(true)
        : fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.constant(false)),
    wait: fc.oneof({ weight: 3, arbitrary: fc.nat(3) }, fc.nat(700)),
  });
}

const alike = fc.integer({ min: 2, max: 5 }).map((count): Action => ({ do: "alike", count }));

function actions({ mixing, calm = false }: HistoryOptions): fc.Arbitrary<Action> {
  const write = writes(mixing);
  const written = write.map((write): Action => ({ do: "write", write }));
  const pause = fc.nat(5000).map((ms): Action => ({ do: "pause", ms }));
  if (mixing === "k6")
    return fc.oneof({ weight: 5, arbitrary: written }, pause, glue(["k6", "json"], 1, fc.constant(false)));
  const late = fc.option(write, { freq: 3 });
  const rotation = fc.record({
    do: fc.constant("rotate" as const),
    fails: fc.oneof({ weight: 7, arbitrary: fc.constant(false) }, fc.constant(true)),
    before: late,
    after: late,
  });
  const glued = mixing === "glued" ? [glue(["k6", "k6", "json", "text"], 2, fc.boolean()), alike] : [];
  const others = [pause, { weight: 2, arbitrary: rotation }, ...(mixing === "whole" ? [alike] : []), ...glued];
  return fc.oneof({ weight: calm ? 60 : 14, arbitrary: written }, ...others);
}

export function histories(options: HistoryOptions): fc.Arbitrary<History> {
  const history = fc.record({
    seed: fc.integer(),
    stamps: fc.constantFrom(...STAMPS),
    zone: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.constantFrom(120, -210, 330)),
    cutsAtReopening: fc.boolean(),
    maxFiles: fc.integer({ min: 2, max: 5 }),
    faults: options.calm === true ? fc.nat(2) : fc.oneof(fc.constant(0), fc.nat(12)),
    slowness: options.calm === true ? fc.constant(0) : fc.constantFrom(0, 0.2, 0.6, 0.9),
    actions: fc.array(actions(options), { minLength: 1, maxLength: 45, size: "max" }),
  });
  // Megabytes are slow to write, and few lines look as if another were glued into them.
  const rare = fc.oneof(
    { weight: 30, arbitrary: fc.constant(null) },
    ...(options.mixing === "k6" ? [] : [fc.constant<LineKind>("huge")]),
    ...(options.mixing === "glued" ? [{ weight: 3, arbitrary: fc.constant<LineKind>("long-with-k6-inside") }] : []),
  );
  // Most histories of some length have a rotation; where none is, lines may be alike in everything.
  const rotates = fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.constant(false));
  return fc.tuple(history, rare, fc.nat(45), rotates).map(([one, kind, at, rotating]) => {
    const kept = rotating ? one.actions : one.actions.filter((action) => action.do !== "rotate");
    return { ...one, actions: kind === null ? kept : kept.toSpliced(at, 0, single(kind, at, options)) };
  });
}

function single(kind: LineKind, size: number, { mixing }: HistoryOptions): Action {
  return { do: "write", write: { stderr: mixing !== "one" && size % 2 === 0, kind, size, whole: true, wait: 1 } };
}
