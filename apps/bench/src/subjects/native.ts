/** The native limit: `native/bench.c` on the C library's malloc, on mimalloc, and on a bump pointer. There when a C compiler is. */

import { compileNative, findCompiler } from '../native/compiler.ts';
import type { NativeSubject } from '../subject.ts';

/** A way to compile the program. */
interface Variant {
  readonly name: string;
  readonly what: string;
  readonly flags: readonly string[];
}

const VARIANTS: readonly Variant[] = [
  { name: 'native-malloc', what: "the C library's malloc", flags: [] },
  { name: 'native-mimalloc', what: 'mimalloc', flags: ['-DUSE_MIMALLOC', '-lmimalloc'] },
  { name: 'native-bump', what: 'a bump pointer, reset at the end', flags: ['-DUSE_BUMP'] },
];

/** What could be compiled, and why the rest could not. */
export interface NativeSubjects {
  readonly subjects: readonly NativeSubject[];
  /** One line for each that is absent. */
  readonly absences: readonly string[];
}

/** Compiles all of them; a second or two the first time, nothing after that. */
export async function nativeSubjects(): Promise<NativeSubjects> {
  const compiler = await findCompiler();
  if (compiler === undefined) return { subjects: [], absences: ['No C compiler ($CC, cc, gcc, clang) was found: the native rows are absent.'] };
  const subjects: NativeSubject[] = [];
  const absences: string[] = [];
  for (const { name, what, flags } of VARIANTS) {
    try {
      const executable = await compileNative(compiler, 'bench.c', flags);
      subjects.push({ shape: 'native', kind: 'native', name, description: `${what}, a C program of ours, ${compiler.version}, -O2`, executable });
    } catch {
      const hint = name === 'native-mimalloc' ? ': the library (Debian: libmimalloc-dev) is not installed' : '';
      absences.push(`${name} could not be compiled${hint}; its row is absent.`);
    }
  }
  return { subjects, absences };
}
