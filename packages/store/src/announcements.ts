import { setTimeout as sleep } from "node:timers/promises";
import { connect, makeClient } from "./database-error.ts";
import { CONNECTION_TIMEOUT_MS } from "./database.ts";
import type { StoreLog } from "./log.ts";

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 10_000;

export interface Announcements<Channel extends string> {
  /** @param listener - given what was announced, an id. @returns the unsubscriber */
  subscribe(channel: Channel, listener: (id: string) => void): () => void;
  close(): Promise<void>;
}

type Hear = (channel: string, id: string) => void;

/**
 * Listens to several channels on one connection of its own, and makes a new one when it is lost. What is announced in
 * between is not heard: listeners must also poll.
 *
 * @param channels - names that need no quotes in SQL
 * @throws when the first connection can't be made
 */
export async function openAnnouncements<Channel extends string>(
  databaseUrl: string,
  channels: readonly Channel[],
  log: StoreLog,
): Promise<Announcements<Channel>> {
  const listeners = new Map<string, Set<(id: string) => void>>(channels.map((channel) => [channel, new Set()]));
  const closing = new AbortController();
  const hear: Hear = (channel, id) => {
    for (const listener of listeners.get(channel) ?? []) {
      try {
        listener(id);
      } catch (error) {
        log.warn({ err: error, channel, id }, "a listener failed");
      }
    }
  };
  let connection = await listen(databaseUrl, channels, hear);
  const keptUp = keepUp();

  async function keepUp(): Promise<void> {
    while (!closing.signal.aborted) {
      await connection.lost;
      if (closing.signal.aborted) return;
      log.warn({}, "the connection that listens was lost; connecting again");
      connection = await reconnect();
    }
  }

  async function reconnect(): Promise<Listening> {
    for (let wait = FIRST_RETRY_MS; !closing.signal.aborted; wait = Math.min(wait * 2, LONGEST_RETRY_MS)) {
      try {
        return await listen(databaseUrl, channels, hear);
      } catch (error) {
        log.warn({ err: error, retryMs: wait }, "can't listen");
        await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
    return { lost: Promise.resolve(), end: () => Promise.resolve() };
  }

  let closed: Promise<void> | undefined;
  async function close(): Promise<void> {
    closing.abort();
    for (const each of listeners.values()) each.clear();
    await connection.end();
    await keptUp;
    // A connection that was being made while this began.
    await connection.end();
  }
  return {
    subscribe(channel, listener) {
      const own = (id: string): void => listener(id);
      listeners.get(channel)?.add(own);
      return () => void listeners.get(channel)?.delete(own);
    },
    close: () => (closed ??= close()),
  };
}

interface Listening {
  lost: Promise<void>;
  end(): Promise<void>;
}

async function listen(databaseUrl: string, channels: readonly string[], hear: Hear): Promise<Listening> {
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
    if (message.payload !== undefined) hear(message.channel, message.payload);
  });
  let ended: Promise<void> | undefined;
  const end = (): Promise<void> => (ended ??= client.end().catch(() => undefined));
  try {
    await connect(client);
    await client.query(channels.map((channel) => `listen ${channel}`).join("; "));
  } catch (error) {
    await end();
    throw error;
  }
  return { lost, end };
}
