import type { ClusterView, Observation } from "@tailrace/core";
import type { Logger } from "../log.ts";
import { resourcePath } from "../paths.ts";
import type { Transport } from "../transport.ts";
import { ClusterStore, type WatchedKind } from "./cluster-store.ts";
import { reflect, type Reflection } from "./reflector.ts";
import type { WatchSettings } from "./settings.ts";

/** Objects of the operator have this label; TestRuns have none. */
const LABEL_SELECTORS: Record<WatchedKind, string | undefined> = {
  testruns: undefined,
  jobs: "app=k6",
  pods: "app=k6",
};

const KINDS = Object.keys(LABEL_SELECTORS) as WatchedKind[];

export interface ViewOptions {
  transport: Transport;
  namespace: string;
  settings: WatchSettings;
  log: Logger;
  onClose: () => void;
}

/** Starts the three watches of a namespace. */
export function startView({ transport, namespace, settings, log, onClose }: ViewOptions): ClusterView {
  const store = new ClusterStore();
  const listed = new Set<WatchedKind>();
  const problems = new Map<WatchedKind, string>(KINDS.map((kind) => [kind, "not connected yet"]));
  const listeners = new Set<(name: string | null) => void>();
  const closing = new AbortController();
  let ended: Promise<void> | undefined;

  function tell(names: Iterable<string | null>): void {
    for (const name of names) {
      for (const listener of Array.from(listeners)) {
        try {
          listener(name);
        } catch (error) {
          log.error({ err: error, testRun: name }, "a listener of the cluster view failed");
        }
      }
    }
  }

  function reflection<K extends WatchedKind>(kind: K): Reflection<Parameters<typeof store.replace<K>>[1][number]> {
    return {
      path: resourcePath(kind, namespace),
      labelSelector: LABEL_SELECTORS[kind],
      onList(items) {
        const names = store.replace(kind, items);
        const first = !listed.has(kind);
        listed.add(kind);
        tell(names);
        if (first && listed.size === KINDS.length) tell([null]);
      },
      onEvent: (event) => tell(store.apply(kind, event)),
      onProblem(problem) {
        if ((problems.get(kind) ?? null) === problem) return;
        if (problem === null) problems.delete(kind);
        else problems.set(kind, problem);
        tell([null]);
      },
    };
  }

  const context = { transport, settings, log };
  const watches = Promise.all([
    reflect(reflection("testruns"), context, closing.signal),
    reflect(reflection("jobs"), context, closing.signal),
    reflect(reflection("pods"), context, closing.signal),
  ]);

  return {
    get synced(): boolean {
      return listed.size === KINDS.length;
    },
    get problem(): string | null {
      const texts = KINDS.flatMap((kind) => problems.get(kind) ?? []);
      return texts.length === 0 ? null : Array.from(new Set(texts)).join("; ");
    },
    observe: (testRunName: string): Observation => store.observe(testRunName),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      ended ??= (async () => {
        closing.abort();
        await watches;
        listeners.clear();
        onClose();
      })();
      return ended;
    },
  };
}
