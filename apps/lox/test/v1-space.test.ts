import { AllocatorError } from '@allokit/allocator';
import { WasmMemory } from '@allokit/vmem';
import { Tlsf } from 'allokit';
import { describe, expect, test } from 'vitest';

import { compile, readBytecode } from '../src/compiler/index.ts';
import { ArenaSpace, RecordKind, RECORD_KINDS } from '../src/records/index.ts';
import { V1_HEADER_SIZE, V1_PAGE_SIZE, V1Space } from '../src/v1/index.ts';

const PROGRAM = new TextEncoder().encode(`
class Animal {
  init(name, age) { this.name = name; this.age = age; }
  speak() { return "I am " + this.name; }
}
class Dog < Animal {
  speak() { var first = super.speak(); return first + ", a dog of " + this.kind; }
}
fun counter(step) {
  var count = 0;
  fun next() { count = count + step; return count; }
  return next;
}
var next = counter(2);
for (var i = 0; i < 10; i = i + 1) { if (i > 3 and i != 7 or !true) print next(); else { var x = -i * (2 + 3) / 4; print x; } }
while (next() < 40) print nil == false;
`);

function bytecode(space: ArenaSpace | V1Space): unknown {
  const compilation = compile(PROGRAM, space);
  expect(compilation.errors).toBe('');
  return readBytecode(compilation);
}

const EXPECTED = bytecode(ArenaSpace.create(WasmMemory.create({ reserve: 2 ** 24 })));

test('the bytecode is that of an arena, however often everything else is collected', () => {
  const space = V1Space.create({ threshold: V1_PAGE_SIZE });
  expect(bytecode(space)).toEqual(EXPECTED);
  space.checkInvariants();
  expect(space.heapStats().collectionCount).toBeGreaterThan(5);
  expect(space.stats().collectionMs).toBeGreaterThan(0);
});

test('a collection before every record finds everything that is still needed', () => {
  const space = V1Space.create({ threshold: V1_PAGE_SIZE, collectsAlways: true });
  expect(bytecode(space)).toEqual(EXPECTED);
  const { collectionCount, allocationCount } = space.heapStats();
  expect(collectionCount).toBe(allocationCount);
});

test('one program after the other in a heap that lives on', () => {
  const space = V1Space.create({ threshold: 2 ** 16 });
  for (let i = 0; i < 10; i += 1) {
    expect(bytecode(space)).toEqual(EXPECTED);
    space.popRoots(1);
  }
  space.checkInvariants();
  expect(space.heapStats().takenBytes).toBeLessThan(2 ** 18);
});

test('figures are by kind, and those of the heap', () => {
  const space = V1Space.create();
  const token = space.allocate(RecordKind.Token, 16);
  space.pushRoot(token);
  space.allocate(RecordKind.Token, 16);
  space.allocate(RecordKind.Lines, 5000);
  expect(space.stats()).toEqual({
    kinds: [
      { name: 'token', count: 2, bytes: 32 },
      { name: 'lines', count: 1, bytes: 5000 },
    ],
    count: 3,
    requestedBytes: 5032,
    peakBytes: 3 * V1_HEADER_SIZE + 5032,
    takenBytes: V1_PAGE_SIZE + V1_HEADER_SIZE + 5000,
    collectionMs: 0,
  });
  expect(() => space.popRoots(2)).toThrow(RangeError);
  space.reset();
  expect(space.stats()).toMatchObject({ kinds: [], count: 0, peakBytes: 0, takenBytes: 0 });
  expect(() => space.popRoots(1)).toThrow(RangeError);
});

describe('references', () => {
  test.each(RECORD_KINDS.map((descriptor, kind) => [descriptor.name, kind, descriptor] as const))(
    'of a %s are followed',
    (_, kind, { references, referencesFrom }) => {
      const space = V1Space.create();
      const size = 64;
      const words = Array.from({ length: size / 4 }, (_value, word) => word).filter(
        (word) => references.includes(word) || (referencesFrom !== undefined && word >= referencesFrom),
      );
      const holder = space.allocate(kind as RecordKind, size);
      space.pushRoot(holder);
      const held = words.map((word) => {
        const record = space.allocate(RecordKind.Code, 8);
        space.memory.u32[(holder >>> 2) + word] = record;
        return record;
      });
      const lost = space.allocate(RecordKind.Code, 8);
      // A number where a reference may be.
      if (referencesFrom !== undefined) {
        space.memory.u32[(holder >>> 2) + size / 4 - 1] = lost + 1;
        held.pop();
      }
      space.collect();
      space.checkInvariants();
      expect(space.heapStats().liveCount).toBe(1 + held.length);
    },
  );
});

test('out of memory is NULL', () => {
  const parent = Tlsf.create(WasmMemory.create({ reserve: 2 ** 18 }), { size: 2 ** 17 });
  const space = V1Space.create({ parent });
  expect(space.allocate(RecordKind.Code, 2 ** 20)).toBe(0);
  expect(space.allocate(RecordKind.Code, 16)).not.toBe(0);
  expect(() => space.allocate(RecordKind.Code, -1)).toThrow(RangeError);
  space.memory.u32[(space.allocate(RecordKind.Code, 16) - V1_HEADER_SIZE) >>> 2] = 4;
  expect(() => space.checkInvariants()).toThrow(AllocatorError);
});
