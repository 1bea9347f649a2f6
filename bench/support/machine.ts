import { cpus, release, totalmem } from "node:os";
import { Client } from "pg";

export interface Machine {
  cores: number;
  processor: string;
  memoryGb: number;
  kernel: string;
  node: string;
  postgres?: PostgresSettings;
  /** Of the API server. */
  kubernetes?: string;
}

export interface PostgresSettings {
  version: string;
  fsync: string;
  synchronousCommit: string;
  sharedBuffers: string;
  maxWalSize: string;
}

export function describeMachine(more: Pick<Machine, "postgres" | "kubernetes"> = {}): Machine {
  return {
    cores: cpus().length,
    processor: cpus()[0]?.model ?? "unknown",
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
    ...more,
  };
}

export async function readPostgresSettings(url: string): Promise<PostgresSettings> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<PostgresSettings>(
      `select current_setting('server_version') as version, current_setting('fsync') as fsync,
         current_setting('synchronous_commit') as "synchronousCommit",
         current_setting('shared_buffers') as "sharedBuffers", current_setting('max_wal_size') as "maxWalSize"`,
    );
    return rows[0]!;
  } finally {
    await client.end();
  }
}

/** The machine in some lines, for above a table. */
export function machineText({ cores, processor, memoryGb, kernel, node, postgres, kubernetes }: Machine): string {
  const lines = [`${cores} cores (${processor}), ${memoryGb} GB, Linux ${kernel}, Node ${node}`];
  if (postgres !== undefined)
    lines.push(
      `PostgreSQL ${postgres.version}: fsync ${postgres.fsync}, synchronous_commit ${postgres.synchronousCommit}, ` +
        `shared_buffers ${postgres.sharedBuffers}, max_wal_size ${postgres.maxWalSize}`,
    );
  if (kubernetes !== undefined)
    lines.push(`Kubernetes ${kubernetes}, on this machine where its processes have CPU seconds`);
  return `${lines.join("\n")}\n`;
}
