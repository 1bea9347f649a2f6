import { setTimeout as sleep } from "node:timers/promises";
import { connect, makeClient } from "./database-error.ts";
import { CONNECTION_TIMEOUT_MS } from "./database.ts";
import type { StoreLog } from "./log.ts";
import { STEP_CHANNEL } from "./steps/announce-step.ts";

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 10_000;

export interface Announcements {
  subscribe(listener: (stepId: string) => void): () => void;
  close(): Promise<void>;
}

/**
 * Listens on a connection of its own, and makes a new one when it is lost. What is announced in between is not heard:
 * listeners must also poll.
 *
 * @throws when the first connection can't be made
 */
export async function openAnnouncements(databaseUrl: string, log: StoreLog): Promise<Announcements> {
  const listeners = new Set<(stepId: string) => void>();
  const closing = new AbortController();
  const hear = (stepId: string): void => {
    for (const listener of listeners) {
      try {
        listener(stepId);
      } catch (error) {
        log.warn({ err: error, stepId }, "a listener for steps failed");
      }
    }
  };
  let connection = await listen(databaseUrl, hear);
  const keptUp = keepUp();

  async function keepUp(): Promise<void> {
    while (!closing.signal.aborted) {
      await connection.lost;
      if (closing.signal.aborted) return;
      log.warn({}, "the connection that listens for steps was lost; connecting again");
      connection = await reconnect();
    }
  }

  async function reconnect(): Promise<Listening> {
    for (let wait = FIRST_RETRY_MS; !closing.signal.aborted; wait = Math.min(wait * 2, LONGEST_RETRY_MS)) {
      try {
        return await listen(databaseUrl, hear);
      } catch (error) {
        log.warn({ err: error, retryMs: wait }, "can't listen for steps");
        await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
    return { lost: Promise.resolve(), end: () => Promise.resolve() };
  }

  let closed: Promise<void> | undefined;
  async function close(): Promise<void> {
    closing.abort();
    listeners.clear();
    await connection.end();
    await keptUp;
    // A connection that was being made while this began.
    await connection.end();
  }
  return {
    subscribe(listener) {
      const own = (stepId: string): void => listener(stepId);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    close: () => (closed ??= close()),
  };
}

interface Listening {
  lost: Promise<void>;
  end(): Promise<void>;
}

async function listen(databaseUrl: string, hear: (payload: string) => void): Promise<Listening> {
  const client = makeClient(databaseUrl, {
    application_name: "tailrace listener",
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    query_timeout: CONNECTION_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: CONNECTION_TIMEOUT_MS,
  });
  const lost = new Promise<void>((resolve) => {
    client.once("end", () => resolve());
    client.on("error", () => resolve());
  });
  client.on("notification", (message) => {
    if (message.channel === STEP_CHANNEL && message.payload !== undefined) hear(message.payload);
  });
  let ended: Promise<void> | undefined;
  const end = (): Promise<void> => (ended ??= client.end().catch(() => undefined));
  try {
    await connect(client);
    await client.query(`listen ${STEP_CHANNEL}`);
  } catch (error) {
    await end();
    throw error;
  }
  return { lost, end };
}
