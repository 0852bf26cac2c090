/** What goes wrong without anybody's program being wrong: a bad block, a damaged database, another chain. The command line says it in one line. */
export class IndexerError extends Error {
  override readonly name = 'IndexerError';
}
