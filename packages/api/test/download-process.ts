// The API in a process of its own, whose memory is its own too. Started with the database's URL.
import { randomBytes } from "node:crypto";
import { openStore } from "@tailrace/store";
import Fastify from "fastify";
import { createApi } from "../src/index.ts";

/** What the process says: where it listens, and on each message how much memory it has had at most. */
export type ProcessMessage = { origin: string } | { maxRssBytes: number };

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const store = await openStore({ databaseUrl: process.argv[2]!, log });
const app = Fastify();
await app.register(
  createApi({
    store,
    auth: { mode: "none" },
    limits: { maxActiveRuns: 1, allowedImages: [], namespace: "load" },
    log,
    random: randomBytes,
  }),
);
const say = (message: ProcessMessage): void => void process.send!(message);
// The kernel's own maximum counts what the parent had when it forked.
let maxRssBytes = 0;
const SAMPLE_MS = 10;
setInterval(() => (maxRssBytes = Math.max(maxRssBytes, process.memoryUsage.rss())), SAMPLE_MS);
process.on("message", () => say({ maxRssBytes }));
say({ origin: await app.listen({ host: "127.0.0.1", port: 0 }) });
