/** What stands above all figures: what was typed, where, with which allocators. */

import type { Field } from '../catalogue.ts';
import { describeMachine, type Machine } from './machine.ts';

/** What a run was asked for. */
export interface Preamble {
  /** What was typed. */
  readonly commandLine: string;
  readonly machine: Machine;
  readonly seed: number;
  readonly rounds: number;
  readonly warmRounds: number;
  readonly field: Field;
}

/** In lines. */
export function formatPreamble({ commandLine, machine, seed, rounds, warmRounds, field: { subjects, absences } }: Preamble): string {
  return [
    `$ ${commandLine}`,
    describeMachine(machine),
    `seed ${seed}; ${rounds} rounds after ${warmRounds} warm ones, all allocators in turn`,
    ...subjects.map(({ name, description }) => `  ${name.padEnd(16)} ${description}`),
    ...absences.map((absence) => `  ${absence}`),
  ].join('\n');
}
