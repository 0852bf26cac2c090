/** Measures compilations: for each program, all subjects in turn. */

import type { Progress } from '../report/progress.ts';
import { siblingUrl } from '../sibling.ts';
import { summarise } from '../statistics.ts';
import type { CompileAnswer, CompileAssignment, CompileFacts, CompileQuestion } from './compile-worker.ts';
import type { CompiledProgram } from './programs.ts';
import { COMPILE_BASES, COMPILE_SUBJECTS, type CompileSubject } from './subjects.ts';
import { takeTurnsOf, type TurnRounds } from './turns.ts';

/** One subject and one program. */
export interface CompileResult extends CompileFacts {
  readonly program: string;
  readonly origin: CompiledProgram['origin'];
  readonly lineCount: number;
  readonly sourceBytes: number;
  readonly subject: CompileSubject;
  readonly status: 'ok' | 'failed';
  readonly reason?: string;
  /** Milliseconds for one compilation, the reset at its end included. */
  readonly medianMs: number;
  readonly bestMs: number;
  /** The median over that of V1 in the same situation: see {@link COMPILE_BASES}. */
  readonly ratio: number;
  /** Collections' share of the time of all rounds, 0..1. */
  readonly collectionShare: number;
  /** Free objects that V1 looked at for each record. */
  readonly searchesPerRecord: number;
  readonly roundCount: number;
}

/** Lines of a round, at the least: shorter programs are compiled several times in it. */
const ROUND_LINES = 5000;
/** Each with a memory of its own, which takes longer to make than a short program to compile. */
const REPEATS_MAX = 20;

/** Measures one program. */
export async function measureCompilation(program: CompiledProgram, rounds: TurnRounds, progress: Progress): Promise<CompileResult[]> {
  const subjects = Object.keys(COMPILE_SUBJECTS) as CompileSubject[];
  const repeats = Math.min(REPEATS_MAX, Math.max(1, Math.round(ROUND_LINES / program.lineCount)));
  const players = subjects.map((subject) => {
    const assignment: CompileAssignment = { subject, source: program.source };
    return { subject, module: siblingUrl('compile-worker', import.meta.url), assignment };
  });
  const question: CompileQuestion = { repeats };
  const answers = await takeTurnsOf<CompileSubject, CompileAnswer>(players, question, rounds, program.name, progress);
  const medians = answers.map((own) => summarise(own.map(({ milliseconds }) => milliseconds / repeats)));
  const truth = answers[subjects.indexOf('arena')]!.at(-1).checksum;
  return answers.map((own, i): CompileResult => {
    const { median, best, roundCount } = medians[i]!;
    const sum = (of: (answer: CompileAnswer) => number): number => own.reduce((total, answer) => total + of(answer), 0);
    const isRight = own.every(({ checksum }) => checksum === truth);
    return {
      ...own.at(-1).facts,
      program: program.name,
      origin: program.origin,
      lineCount: program.lineCount,
      sourceBytes: Buffer.byteLength(program.source),
      subject: subjects[i]!,
      status: isRight ? 'ok' : 'failed',
      medianMs: median,
      bestMs: best,
      ratio: median / medians[subjects.indexOf(COMPILE_BASES[subjects[i]!])]!.median,
      collectionShare: sum(({ collectionMs }) => collectionMs) / sum(({ milliseconds }) => milliseconds),
      searchesPerRecord: own[0]!.facts.recordCount === 0 ? 0 : sum(({ searchCount }) => searchCount) / (roundCount * repeats * own[0]!.facts.recordCount),
      roundCount,
      ...(isRight ? {} : { reason: 'its bytecode is not that of the arena' }),
    };
  });
}
