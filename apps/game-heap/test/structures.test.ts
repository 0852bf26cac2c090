/** The data structures in the heap against plain JavaScript ones, in random programs. */

import fc from 'fast-check';
import { Random } from '@allokit/allocator/testing';
import { NULL, WasmMemory, gameHeap, type Address, type GameHeap } from 'allokit';
import { describe, expect, test } from 'vitest';
import { hashText } from '../src/digest.ts';
import { DisplayList, FIELD } from '../src/display-list.ts';
import { Script } from '../src/frame.ts';
import { HeapFull } from '../src/heap-full.ts';
import { HeapStage } from '../src/heap-stage.ts';
import { ModelStage } from '../src/model-stage.ts';
import { PropertyTables } from '../src/property-table.ts';
import { Strings } from '../src/strings.ts';

function heap(size = 2 ** 22): GameHeap {
  return gameHeap(WasmMemory.create({ reserve: size + 2 ** 19 }), { size });
}

test('strings are interned, counted, and gone when nobody holds them', () => {
  const texts = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.boolean()), { maxLength: 300 });
  fc.assert(
    fc.property(texts, fc.array(fc.string({ unit: 'grapheme', maxLength: 12 }), { minLength: 41, maxLength: 41 }), (program, names) => {
      const game = heap();
      const strings = new Strings(game);
      const held = new Map<string, { readonly address: Address; count: number }>();
      for (const [i, isBorn] of program) {
        const name = names[i]!;
        const known = held.get(name);
        if (isBorn) {
          const address = strings.intern(name);
          if (known === undefined) held.set(name, { address, count: 1 });
          else {
            expect(address).toBe(known.address);
            known.count += 1;
          }
        } else if (known !== undefined) {
          strings.release(known.address);
          known.count -= 1;
          if (known.count === 0) held.delete(name);
        }
        expect(strings.count).toBe(held.size);
      }
      for (const [name, { address, count }] of held) {
        expect([strings.text(address), strings.hash(address)]).toEqual([name, hashText(name)]);
        for (let n = 0; n < count; n += 1) strings.release(address);
      }
      strings.destroy();
      game.heap.checkInvariants();
      expect(game.stats().allocated).toBe(0);
    }),
    { numRuns: 60 },
  );
});

test('strings whose hashes collide in every slot are told apart, also after one is removed', () => {
  const game = heap();
  const strings = new Strings(game);
  // In a table of 64 these share a handful of slots.
  const names: string[] = [];
  for (let i = 0; names.length < 40; i += 1) if ((hashText(`n${i}`) & 63) < 3) names.push(`n${i}`);
  const addresses = names.map((name) => strings.intern(name));
  for (const i of Random.fromSeed(7)
    .shuffle(names.map((_, i) => i))
    .slice(0, 20)) {
    strings.release(addresses[i]!);
    addresses[i] = NULL;
    names.forEach((name, other) => {
      if (addresses[other] === NULL) return;
      expect(strings.intern(name)).toBe(addresses[other]);
      strings.release(addresses[other]!);
    });
  }
});

test('property tables are maps that keep their order', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.double({ noNaN: true })), { maxLength: 200 }), (settings) => {
      const game = heap();
      const strings = new Strings(game);
      const tables = new PropertyTables(game, strings);
      const keys = Array.from({ length: 61 }, (_, i) => strings.intern(`key ${i}`));
      const before = game.stats().allocated;
      const table = tables.create();
      const model = new Map<number, number>();
      for (const [key, value] of settings) {
        tables.set(table, keys[key]!, value);
        model.set(key, value);
      }
      const entries: [Address, number][] = [];
      tables.forEach(table, (key, value) => entries.push([key, value]));
      expect(entries).toEqual([...model].map(([key, value]) => [keys[key], value]));
      keys.forEach((key, i) => expect(tables.get(table, key)).toBe(model.get(i)));
      tables.destroy(table);
      game.heap.checkInvariants();
      expect(game.stats().allocated).toBe(before);
    }),
    { numRuns: 60 },
  );
});

test('the display list is a tree, whatever is added and removed', () => {
  interface Model {
    readonly address: Address;
    readonly children: Model[];
  }
  const preorder = (node: Model): Address[] => [node.address, ...node.children.flatMap(preorder)];
  const postorder = (node: Model): Address[] => [...node.children.flatMap(postorder), node.address];
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = Random.fromSeed(seed);
    const game = heap();
    const list = new DisplayList(game);
    const root: Model = { address: list.create(NULL), children: [] };
    for (let step = 0; step < 300; step += 1) {
      const path: Model[] = [root];
      while (path.at(-1)!.children.length > 0 && random.chance(3, 4)) path.push(path.at(-1)!.children[random.below(path.at(-1)!.children.length)]!);
      const node = path.at(-1)!;
      if (random.chance(3, 4)) {
        const address = list.create(node.address);
        list.set(address, FIELD.slot, step);
        node.children.push({ address, children: [] });
      } else if (path.length > 1) {
        const expected = postorder(node);
        const seen: Address[] = [];
        list.remove(node.address, (each) => seen.push(each));
        expect(seen).toEqual(expected);
        const siblings = path.at(-2)!.children;
        siblings.splice(siblings.indexOf(node), 1);
      }
      const walked: Address[] = [];
      list.walk(root.address, (each) => walked.push(each));
      expect(walked, `seed ${seed}, step ${step}`).toEqual(preorder(root));
    }
    list.remove(root.address, () => undefined);
    expect(game.stats().allocated).toBe(0);
  }
});

describe('a script', () => {
  test.each([1, 2])('leaves in the heap what plain objects hold, and nothing when it is over, seed %i', (seed) => {
    const game = heap(2 ** 27);
    const stage = new HeapStage(game);
    const script = new Script(stage, seed);
    const model = new Script(new ModelStage(), seed);
    for (let frame = 0; frame < 30; frame += 1) {
      script.frame();
      model.frame();
      if (frame === 5) expect(script.digest()).toBe(model.digest());
    }
    expect(script.digest()).toBe(model.digest());
    game.heap.checkInvariants();
    stage.destroy();
    expect(game.stats()).toMatchObject({ allocated: 0, externalFragmentation: 0 });
  });

  test('is another one with another seed, and its checksum sees a single bit', () => {
    const digests = [1, 2].map((seed) => {
      const script = new Script(new ModelStage(), seed);
      script.frame();
      return script.digest();
    });
    expect(digests[0]).not.toBe(digests[1]);
    const game = heap(2 ** 27);
    const stage = new HeapStage(game);
    const node = stage.add(stage.root, 'picture', 0);
    stage.load(node, 5, 1000);
    const before = stage.digest();
    const { i32 } = game.memory;
    const at = i32.lastIndexOf(stage.sample(node, 500));
    i32[at]! ^= 1;
    expect(stage.digest()).not.toBe(before);
  });

  test('stops with a clear error when the heap is full', () => {
    const game = heap(2 ** 20);
    const script = new Script(new HeapStage(game), 1);
    expect(() => {
      for (let frame = 0; frame < 100; frame += 1) script.frame();
    }).toThrow(HeapFull);
    game.heap.checkInvariants();
  });
});
