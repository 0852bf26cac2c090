/** The steps of `native/vmem.c` as probes. */

import { getSystemErrorName } from 'node:util';

import { AllocatorError } from '@allokit/allocator';

import type { NativeProgram } from '../native/program.ts';
import type { Observation, Probe, Step } from './experiment.ts';

/** What the rows are called. */
export const C = 'C';

/** `mmap` with MAP_POPULATE, a write to each page, `madvise` with MADV_POPULATE_WRITE. */
export type TouchMethod = 'm' | 'w' | 'p';

/** How it is done, and what it is compared with. */
export interface CTouchOptions {
  readonly hugePages: boolean;
  readonly base: string;
  readonly group: string;
}

const TOUCH_NAMES: Readonly<Record<TouchMethod, string>> = { m: 'mmap(MAP_POPULATE)', w: 'write', p: 'madvise(POPULATE_WRITE)' };

/** The row that `populate` is measured against. */
export const C_MAP_POPULATE = { subject: C, step: TOUCH_NAMES.m };

/** Maps and touches `sizeBytes` bytes. */
export function cTouch(program: NativeProgram, sizeBytes: number, method: TouchMethod, { hugePages, base, group }: CTouchOptions): Probe {
  const name = `${TOUCH_NAMES[method]}${hugePages ? ', huge pages' : ''}`;
  const step = { name, sizeBytes, base, bounds: { min: sizeBytes, max: Infinity } };
  return { ...cProbe(program, `t ${sizeBytes} ${method} ${hugePages ? 1 : 0}`, [step], timeAndResident), group };
}

/** Reserves and commits. */
export function cSetup(program: NativeProgram, sizeBytes: number, base: string): Probe {
  const steps: Step[] = [
    { name: 'reserve (mmap)', sizeBytes, base },
    { name: 'commit (mprotect)', sizeBytes, base, bounds: { min: 0, max: 0 } },
  ];
  return cProbe(program, `s ${sizeBytes}`, steps, ([reserveNs = NaN, ...commit]) => [{ nanoseconds: reserveNs }, ...timeAndResident(commit)]);
}

/** Gives the memory of touched pages back. */
export function cDiscard(program: NativeProgram, sizeBytes: number, name: string): Probe {
  return cProbe(program, `d ${sizeBytes}`, [{ name, sizeBytes, bounds: { min: 0, max: 0 } }], timeAndResident);
}

function timeAndResident([nanoseconds = NaN, residentBytes]: readonly number[]): Observation[] {
  return [{ nanoseconds, residentBytes }];
}

function cProbe(program: NativeProgram, command: string, steps: readonly Step[], observe: (answer: readonly number[]) => readonly Observation[]): Probe {
  return {
    subject: C,
    kind: 'native',
    steps,
    async run() {
      const answer = await program.ask(command);
      const error = answer.find((value) => value < 0);
      if (error === undefined) return observe(answer);
      const name = getSystemErrorName(error);
      throw new AllocatorError(name === 'ENOTSUP' || name === 'EOPNOTSUPP' || name === 'EINVAL' ? 'unsupported' : 'system', `the system answers ${name}`);
    },
  };
}
