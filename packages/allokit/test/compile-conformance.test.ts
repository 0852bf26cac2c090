import { compile } from '@allokit/allocator';
import { conformance } from '@allokit/allocator/testing';
import { BufferMemory, WasmMemory } from '@allokit/vmem';
import { describe, test } from 'vitest';
import { ASSEMBLIES, RESERVE } from './compile/assemblies.ts';

const FUZZ = { operations: 150, checkInvariantsEvery: 32 };

describe.each([
  { where: 'a WebAssembly memory that grows', createMemory: () => WasmMemory.create({ reserve: RESERVE, pageSize: 4096 }), assemblies: ASSEMBLIES },
  // What a memory is makes no difference to what was generated: one assembly says enough.
  { where: 'a shared buffer', createMemory: () => BufferMemory.create({ reserve: RESERVE, shared: true }), assemblies: ASSEMBLIES.slice(0, 1) },
])('compiled, on $where', ({ createMemory, assemblies }) => {
  for (const { name, create, ...expectations } of assemblies) {
    const cases = conformance({ name, create: () => compile(create(createMemory())), fuzz: FUZZ, ...expectations });
    for (const { name: title, run } of cases) test(title, run);
  }
});
