import type { StreamName } from "../logs/cri.ts";

/** How a container ended. */
export interface Exit {
  exitCode: number;
}

/** Takes what a container writes. */
export interface Output {
  write(stream: StreamName, chunk: Buffer): void;
  endStream(stream: StreamName): void;
}

export interface RestRequest {
  method: string;
  path: string;
  body: string;
  contentType: string | undefined;
}

export interface RestAnswer {
  status: number;
  contentType: string | undefined;
  body: string;
}

/** One running container. */
export interface ContainerProcess {
  /** Resolves after the last output; never rejects. */
  readonly ended: Promise<Exit>;
  /** As SIGTERM. */
  terminate(): void;
  /** As SIGKILL. */
  kill(): void;
  /**
   * One request to the container's port 6565.
   *
   * @throws Error when nothing listens there
   */
  request?(request: RestRequest): Promise<RestAnswer>;
}
