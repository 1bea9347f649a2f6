import { LINES_IMAGE } from "../support/pods.ts";
import { count, counts, optionalText, someOf, text, type FlagValues } from "../support/flags.ts";

export const OURS = ["kubelet", "proxy", "api"] as const;
export const PEERS = ["stern", "kubectl"] as const;

export type Ours = (typeof OURS)[number];
export type Peer = (typeof PEERS)[number];
export type Method = Ours | Peer;

const METHODS: readonly Method[] = [...OURS, ...PEERS];

export const NAMES: Record<Method, string> = {
  kubelet: "node files, kubelet's port",
  proxy: "node files, API server's proxy",
  api: "pods/log",
  stern: "stern",
  kubectl: "kubectl logs -f",
};

export const FLAGS = {
  pods: count(10, "pods"),
  rates: counts([10_000, 1_000], "lines a second of each pod; each number is measured for itself"),
  quiet: count(
    100,
    "streams that print a line in 5 s for three times as long, as containers of the same pods; 0 for none",
    0,
  ),
  seconds: count(20, "for how long they print"),
  settle: count(3, "seconds after the first line whose lines do not count: pods do not begin at once", 0),
  rounds: count(3, "rounds, each with all loads and methods in turn"),
  methods: someOf(METHODS, "who follows"),
  readers: count(
    1,
    "processes that read what we store, and that share the cores with us; the figures are the first one's; 0 for none",
    0,
  ),
  image: text(LINES_IMAGE, "image with the program `lines` and a shell"),
  profile: optionalText("folder for CPU profiles of our processes"),
};

export type Values = FlagValues<typeof FLAGS>;
