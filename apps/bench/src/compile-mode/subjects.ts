/** Who compiles: the same compiler with its records in different places, and one whose records are objects. */

/** Where the records lie. */
export type CompileSubject = LinearSubject | 'objects';

/** Those whose records have kinds and sizes. */
export type LinearSubject = 'v1' | 'arena' | 'pool+arena' | 'v1-fresh' | 'v1-fresh-64' | 'arena-fresh' | 'pool+arena-fresh';

/** What each is, in the order of the tables. */
export const COMPILE_SUBJECTS: Readonly<Record<CompileSubject, string>> = {
  v1: 'V1: headers of 72 bytes, pages, mark and sweep after every 8 MiB. One heap for one program after the other: nothing comes back but by collections',
  arena: 'an arena alone, reset after each program',
  'pool+arena': 'a pool up to 256 bytes, where what is freed is used again, and an arena; reset after each program',
  objects: 'another compiler, of plain JavaScript objects, with the same result; V8 collects on several threads',
  'v1-fresh': 'V1 in memory that nobody has touched, as in a process that compiles one program and ends',
  'v1-fresh-64': 'the same with a collection after every 64 MiB, that is, never: the best that V1 can do',
  'arena-fresh': 'an arena in memory that nobody has touched',
  'pool+arena-fresh': 'a pool and an arena in memory that nobody has touched',
};

/** Whom the others are compared with: V1 in the same situation. */
export const COMPILE_BASES: Readonly<Record<CompileSubject, LinearSubject>> = {
  v1: 'v1',
  arena: 'v1',
  'pool+arena': 'v1',
  objects: 'v1',
  'v1-fresh': 'v1-fresh',
  'v1-fresh-64': 'v1-fresh',
  'arena-fresh': 'v1-fresh',
  'pool+arena-fresh': 'v1-fresh',
};
