/** Who compiles: the same compiler with its records in different places, and one whose records are objects. */

/** Where the records lie. */
export type CompileSubject = 'v1' | 'v1-fresh' | 'v1-fresh-64' | 'arena' | 'pool+arena' | 'objects';

/** What each is, in the order of the tables. */
export const COMPILE_SUBJECTS: Readonly<Record<CompileSubject, string>> = {
  v1: 'V1: headers of 72 bytes, pages, mark and sweep after every 8 MiB; one heap for one program after the other, as nothing comes back but by collections',
  'v1-fresh': 'V1 in a heap that is empty before each program, as in a process that compiles one and ends',
  'v1-fresh-64': 'the same with collections after every 64 MiB, that is, never: the best that V1 can do',
  arena: 'an arena alone',
  'pool+arena': 'compilerMode: a pool up to 256 bytes, where what is freed is used again, and an arena',
  objects: 'another compiler, of plain JavaScript objects, with the same result; V8 collects on several threads',
};

/** Whom ratios refer to. */
export const COMPILE_BASE: CompileSubject = 'v1-fresh-64';

/** Those whose records have kinds and sizes. */
export type LinearSubject = Exclude<CompileSubject, 'objects'>;
