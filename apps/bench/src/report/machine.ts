/** Where and with what a figure was measured: without it, no figure means anything. */

import { arch, cpus, platform, release, totalmem } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly os: string;
  readonly node: string;
  readonly v8: string;
}

/** This machine, now. */
export function thisMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    os: `${platform()} ${release()} ${arch()}`,
    node: process.versions.node,
    v8: process.versions.v8,
  };
}

/** The machine in one line. */
export function describeMachine({ cpu, cores, memoryGiB, os, node, v8 }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB; ${os}; Node ${node}, V8 ${v8}`;
}
