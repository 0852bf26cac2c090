/** Who compiles: the same compiler with its records in different places, and one whose records are objects. */

/** Where the records lie. */
export type CompileSubject = 'v1' | 'v1-64' | 'arena' | 'pool+arena' | 'objects';

/** What each is, in the order of the tables. */
export const COMPILE_SUBJECTS: Readonly<Record<CompileSubject, string>> = {
  v1: 'V1: headers of 72 bytes, pages, mark and sweep after every 8 MiB',
  'v1-64': 'V1 that collects after every 64 MiB',
  arena: 'an arena alone',
  'pool+arena': 'compilerMode: a pool up to 256 bytes, where what is freed is used again, and an arena',
  objects: 'a compiler of plain JavaScript objects, and V8\'s collector',
};

/** Those whose records have kinds and sizes. */
export type LinearSubject = Exclude<CompileSubject, 'objects'>;
