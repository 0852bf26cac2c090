/**
 * Prints the bytecode of a class's hot methods: `node print.ts MODULE CLASS METHOD...`, where the module is a built one. Nothing else is compiled while V8
 * prints.
 */

import { BufferMemory } from '@allokit/vmem';
import type { Allocator } from '@allokit/allocator';
import { setFlagsFromString } from 'node:v8';

const [path = '', name = '', ...methods] = process.argv.slice(2);
const exports = (await import(path)) as Record<string, { create(...parameters: unknown[]): Allocator }>;
const memory = BufferMemory.create({ reserve: 2 ** 22 });
const parameters: Record<string, readonly unknown[]> = {
  O1Heap: [memory, { size: 2 ** 20 }],
  Tlsf: [memory, { size: 2 ** 20 }],
  Segregator: [{ threshold: 256, small: memory, large: memory }],
  Fallback: [memory, memory],
};
const allocator = exports[name]!.create(...(parameters[name] ?? [memory]));
const calls: Record<string, () => void> = {
  allocate: () => void allocator.allocate(100),
  // What does not exist is refused by a slow path, after the hot one was compiled.
  deallocate: () => {
    try {
      allocator.deallocate(4);
    } catch {
      // As it should be.
    }
  },
  owns: () => void allocator.owns(4),
};
for (const method of methods) {
  setFlagsFromString(`--print-bytecode-filter=${method}`);
  setFlagsFromString('--print-bytecode');
  calls[method]!();
  setFlagsFromString('--no-print-bytecode');
}
