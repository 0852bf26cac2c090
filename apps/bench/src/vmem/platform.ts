/** What this machine offers to be measured, and what it does not. */

import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';

import { AllocatorError } from '@allokit/allocator';
import { NativeMemory } from '@allokit/vmem/native';

import { compileNative, findCompiler } from '../native/compiler.ts';
import { NativeProgram } from '../native/program.ts';

export interface Platform {
  /** Whether there is native memory: koffi, on a platform that it knows. */
  readonly hasNative: boolean;
  /** `native/vmem.c`, where a C compiler is. */
  readonly program: NativeProgram | undefined;
  readonly versions: {
    readonly koffi?: string | undefined;
    readonly compiler?: string | undefined;
  };
  /** When the kernel gives huge pages: `always`, `madvise` (where asked for) or `never`; `unknown` where it does not say. */
  readonly hugePages: string;
  /** One line for each thing that is missing. */
  readonly absences: readonly string[];
}

/** Looks around. The program runs until `program.close()`. */
export async function findPlatform(): Promise<Platform> {
  const nativeProblem = findNativeProblem();
  const compiled = await startProgram();
  const absences = [
    ...(nativeProblem === undefined
      ? []
      : [`Native memory is absent: ${nativeProblem}.`, 'What is resident is not known then; the growth of the process stands in for it.']),
    ...(compiled.absence === undefined ? [] : [compiled.absence]),
  ];
  return {
    hasNative: nativeProblem === undefined,
    program: compiled.program,
    versions: { koffi: nativeProblem === undefined ? koffiVersion() : undefined, compiler: compiled.version },
    hugePages: hugePageMode(),
    absences,
  };
}

function findNativeProblem(): string | undefined {
  try {
    NativeMemory.create({ reserve: 2 ** 20 }).release();
    return undefined;
  } catch (error) {
    if (error instanceof AllocatorError) return error.message;
    throw error;
  }
}

async function startProgram(): Promise<{ readonly program?: NativeProgram; readonly version?: string; readonly absence?: string }> {
  const compiler = await findCompiler();
  if (compiler === undefined) return { absence: 'No C compiler ($CC, cc, gcc, clang) was found: the rows of the C program are absent.' };
  const { version } = compiler;
  try {
    return { version, program: await NativeProgram.start(await compileNative(compiler, 'vmem.c')) };
  } catch {
    return { version, absence: 'native/vmem.c could not be compiled: the rows of the C program are absent.' };
  }
}

/** The koffi that @allokit/vmem finds, which is no dependency of ours. */
function koffiVersion(): string | undefined {
  const manifest = findPackageJSON('koffi', import.meta.resolve('@allokit/vmem/native'));
  return manifest === undefined ? undefined : (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
}

function hugePageMode(): string {
  try {
    return /\[(\w+)\]/.exec(readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'latin1'))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
