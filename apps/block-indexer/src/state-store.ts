/** The index: keys and values in SQLite. A block is one transaction, so that a killed process leaves whole blocks behind and nothing else. */

import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { IndexerError } from './indexer-error.ts';

/** A key with its value; an empty value deletes the key. */
export interface Pair {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** The store of one index. */
export class StateStore {
  readonly #database: DatabaseSync;
  readonly #select: StatementSync;
  readonly #upsert: StatementSync;
  readonly #delete: StatementSync;

  /**
   * @param path - A file, or `:memory:`.
   * @throws IndexerError for a file that is no index, or that is damaged as far as SQLite and the heights of the blocks can tell.
   */
  constructor(path: string) {
    let database: DatabaseSync | undefined;
    try {
      database = new DatabaseSync(path);
      prepareTables(database);
    } catch (cause) {
      database?.close();
      throw new IndexerError(`${path} is no index, or it is damaged: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
    this.#database = database;
    this.#select = this.#database.prepare('select value from pairs where key = ?');
    this.#upsert = this.#database.prepare('insert into pairs values (?, ?) on conflict (key) do update set value = excluded.value');
    this.#delete = this.#database.prepare('delete from pairs where key = ?');
  }

  /** The height of the next block: as many are indexed. */
  get height(): number {
    const row = this.#database.prepare('select coalesce(max(height), -1) + 1 as next from blocks').get();
    return Number(row!['next']);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#select.get(key)?.['value'] as Uint8Array | undefined;
  }

  /** The state root after a block. */
  root(height: number): string | undefined {
    const row = this.#database.prepare('select root from blocks where height = ?').get(height);
    return row && Buffer.from(row['root'] as Uint8Array).toString('hex');
  }

  /** The roots of all blocks. */
  roots(): string[] {
    const rows = this.#database.prepare('select root from blocks order by height').all();
    return rows.map((row) => Buffer.from(row['root'] as Uint8Array).toString('hex'));
  }

  /**
   * Everything that one block changes, or nothing.
   *
   * @throws IndexerError when the database does not take it: the block is there already, since another process writes to it too; the disk is full.
   */
  commit(height: number, pairs: Iterable<Pair>, root: Uint8Array): void {
    try {
      this.#database.exec('begin immediate');
      for (const { key, value } of pairs) {
        if (value.length === 0) this.#delete.run(key);
        else this.#upsert.run(key, value);
      }
      this.#database.prepare('insert into blocks values (?, ?)').run(height, root);
      this.#database.exec('commit');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('rollback');
      throw new IndexerError(`block ${String(height)} cannot be stored: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }

  /** How many keys there are, by their first letter. */
  counts(): Record<string, number> {
    const rows = this.#database.prepare('select cast(substr(key, 1, 1) as text) as kind, count(*) as count from pairs group by 1 order by 1').all();
    return Object.fromEntries(rows.map((row) => [String(row['kind']), Number(row['count'])]));
  }

  close(): void {
    this.#database.close();
  }
}

/** Makes the tables unless they are there, and looks whether they are whole. */
function prepareTables(database: DatabaseSync): void {
  // Somebody may look at the file meanwhile: wait for him, and do not fail.
  database.exec(`
    pragma busy_timeout = 10000;
    pragma journal_mode = wal;
    pragma synchronous = normal;
    create table if not exists pairs (key blob primary key, value blob not null) without rowid;
    create table if not exists blocks (height integer primary key, root blob not null);
  `);
  const verdict = String(database.prepare('pragma quick_check(1)').get()!['quick_check']);
  if (verdict !== 'ok') throw new IndexerError(verdict);
  const heights = database.prepare('select count(*) as count, coalesce(max(height), -1) + 1 as next, coalesce(min(height), 0) as first from blocks').get()!;
  if (heights['count'] !== heights['next'] || heights['first'] !== 0) throw new IndexerError('the heights of its blocks have gaps');
}
