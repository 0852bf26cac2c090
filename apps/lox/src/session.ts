/** A session: programs compiled in one space and run by one machine, one after the other; and the figures of all that. */

import { AllocatorError } from '@allokit/allocator';
import { compile, OutOfRecords, SOURCE_SIZE_MAX } from './compiler/index.ts';
import { ExitCode } from './exit-code.ts';
import { Machine, type MachineOptions } from './machine/index.ts';
import type { RecordSpace, RecordSpaceStats } from './records/index.ts';

/** How to make a session. */
export interface SessionOptions extends MachineOptions {
  /** Makes the space for the compiler's records. */
  readonly makeSpace: () => RecordSpace;
  /** Takes errors, whole lines of them. */
  readonly writeError: (text: string) => void;
  /** Whether programs are compiled only. */
  readonly compilesOnly: boolean;
}

/** Figures of the programs so far. */
export interface SessionFigures {
  readonly compileMs: number;
  /** Time in the machine, from its making and the loading of programs on, collections included. */
  readonly runMs: number;
  /** Of the latest program. */
  readonly records: RecordSpaceStats | undefined;
}

/** Compiles and runs programs. */
export class Session {
  readonly #options: SessionOptions;
  readonly #space: RecordSpace;
  /** Absent as long as nothing has run. */
  machine: Machine | undefined;
  #compileMs = 0;
  #runMs = 0;
  #records: RecordSpaceStats | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#space = options.makeSpace();
  }

  /** Compiles a program, and runs it. @returns How the process should end if it were the only one. */
  interpret(source: Uint8Array): number {
    const { writeError } = this.#options;
    if (source.length > SOURCE_SIZE_MAX) {
      writeError(`A program may have ${SOURCE_SIZE_MAX} bytes, this one has ${source.length}.\n`);
      return ExitCode.Compile;
    }
    try {
      const code = this.#load(source);
      return code === ExitCode.Ok && !this.#options.compilesOnly ? this.#run() : code;
    } catch (error) {
      const isOutOfMemory = error instanceof OutOfRecords || (error instanceof AllocatorError && error.code === 'out-of-memory');
      if (!isOutOfMemory) throw error;
      writeError('Out of memory.\n');
      return ExitCode.Run;
    }
  }

  /** The figures as of now. */
  figures(): SessionFigures {
    return { compileMs: this.#compileMs, runMs: this.#runMs, records: this.#records };
  }

  #load(source: Uint8Array): number {
    const start = performance.now();
    try {
      const compilation = compile(source, this.#space);
      this.#compileMs += performance.now() - start;
      if (compilation.errors !== '') {
        this.#options.writeError(compilation.errors);
        return ExitCode.Compile;
      }
      if (this.#options.compilesOnly) return ExitCode.Ok;
      const loadStart = performance.now();
      this.machine ??= Machine.create(this.#options);
      this.machine.load(compilation);
      this.#runMs += performance.now() - loadStart;
      return ExitCode.Ok;
    } finally {
      this.#records = this.#space.stats();
      this.#space.reset();
    }
  }

  #run(): number {
    const start = performance.now();
    const failure = this.machine?.run();
    this.#runMs += performance.now() - start;
    if (failure === undefined) return ExitCode.Ok;
    this.#options.writeError(failure.error);
    return ExitCode.Run;
  }
}
