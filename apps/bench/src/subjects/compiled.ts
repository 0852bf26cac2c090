/** A subject whose heap is compiled: the same memory, the same addresses, generated functions. */

import { compile, type Allocator } from '@allokit/allocator';

import type { LinearSubject } from '../subject.ts';

/** @param subject - One whose heap is an allocator of ours with hot paths. */
export function compiled(subject: LinearSubject): LinearSubject {
  return {
    ...subject,
    name: `${subject.name}-compiled`,
    description: `compile() of ${subject.name}`,
    create: async (demand) => {
      const instance = await subject.create(demand);
      const heap = compile(instance.heap as Allocator);
      if (!heap.isGenerated) throw new Error(`${subject.name} cannot be compiled`);
      return { ...instance, heap };
    },
  };
}
