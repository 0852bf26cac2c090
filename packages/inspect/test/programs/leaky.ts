/** A program that forgets some blocks. */

import { inspected } from '@allokit/allocator';
import { Tlsf } from '@allokit/tlsf';
import { WasmMemory } from '@allokit/vmem';

const memory = WasmMemory.create({ reserve: 2 ** 24 });
const sprites = inspected(Tlsf.create(memory, { size: 2 ** 20 }), 'sprites');
const sounds = inspected(Tlsf.create(memory, { size: 2 ** 20 }), 'sounds');

function load(size: number): number {
  return sprites.allocate(size);
}

for (let i = 0; i < 100; i += 1) {
  const sprite = load(100);
  const sound = sounds.allocate(16);
  sounds.deallocate(sound);
  if (i % 10 !== 3) sprites.deallocate(sprite);
}
console.log(...process.argv.slice(2));
process.exitCode = Number(process.env['EXIT'] ?? 0);
