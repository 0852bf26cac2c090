/** The virtual machine: a heap of objects, and an interpreter. */

export { HEAP_DEFAULTS, Machine, type MachineOptions } from './machine.ts';
export { formatNumber } from './number-format.ts';
export { type RunResult } from './interpreter.ts';
