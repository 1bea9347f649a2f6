import type { FastifyInstance } from "fastify";

/** Why a server is not ready, or null when it is. */
export type Readiness = () => Promise<string | null>;

/** `/healthz`: the process answers. `/readyz`: it can do its work. Both are open, and say nothing of teams or runs. */
export function registerHealth(app: FastifyInstance, readiness: Readiness): void {
  app.get("/healthz", () => ({ status: "ok" }));
  app.get("/readyz", async (_request, reply) => {
    const reason = await readiness();
    if (reason === null) return { status: "ready" };
    return reply.code(503).send({ status: "not ready", reason });
  });
}
