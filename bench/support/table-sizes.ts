import type { BenchPostgres } from "./postgres.ts";

/** Bytes of PostgreSQL's files, of all partitions together, as `pg_total_relation_size` counts them. */
export interface TableSizes {
  /** Rows of chunks without their data. */
  chunks: number;
  /** The chunks' data, with TOAST's own index. */
  toast: number;
  indexes: number;
  /** Gaps and streams, with all that is theirs. */
  others: number;
  total: number;
}

/** What the log tables take on the disk. */
export async function readLogSizes(postgres: BenchPostgres): Promise<TableSizes> {
  const [row] = await postgres.query<Record<keyof TableSizes, string>>(
    `with parts as (
       select inhparent::regclass::text as parent, inhrelid as id from pg_inherits
       where inhparent in ('log_chunks'::regclass, 'log_gaps'::regclass)
     ), chunks as (select id from parts where parent = 'log_chunks'),
     sizes as (
       select (select sum(pg_relation_size(id)) from chunks) as chunks,
         (select sum(pg_total_relation_size(reltoastrelid)) from pg_class where oid in (select id from chunks)) as toast,
         (select sum(pg_indexes_size(id)) from chunks) as indexes,
         (select sum(pg_total_relation_size(id)) from chunks) as all_chunks,
         (select sum(pg_total_relation_size(id)) from parts where parent = 'log_gaps')
           + pg_total_relation_size('log_streams') as others
     )
     select chunks, toast, indexes, others, all_chunks + others as total from sizes`,
  );
  const { chunks, toast, indexes, others, total } = row!;
  return { chunks: +chunks, toast: +toast, indexes: +indexes, others: +others, total: +total };
}
