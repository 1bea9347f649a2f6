import type { ContainerInstance, NodeAddress, ObservedInstance } from "@tailrace/core";
import type { ContainerView } from "./reading.ts";

/** A container instance as it was last seen in the cluster. */
export class ObservedContainer implements ContainerView {
  observed: ObservedInstance;
  gone = false;

  constructor(observed: ObservedInstance) {
    this.observed = observed;
  }

  get instance(): ContainerInstance {
    return this.observed.instance;
  }

  get node(): NodeAddress | null {
    return this.observed.node;
  }

  get terminated(): boolean {
    return this.observed.state.phase === "terminated";
  }

  get previous(): boolean {
    return this.observed.previous;
  }
}
