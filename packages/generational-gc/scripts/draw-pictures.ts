/** Makes the pictures of `docs/garbage-collection.md` from a heap that does what they show. `node --conditions=source scripts/draw-pictures.ts [folder]` */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BufferMemory } from '@allokit/vmem';
import { GenerationalHeap, type Handle } from '../src/index.ts';
import { panel, picture, type Panel, type Scene } from './picture.ts';

const folder = process.argv[2] ?? fileURLToPath(new URL('../../../docs/pictures/', import.meta.url));

/** Objects of 512 bytes in an eden of 16 KiB: few enough to have names. */
class World {
  readonly heap = GenerationalHeap.create(BufferMemory.create({ reserve: 2 ** 20 }), {
    limit: 2 ** 19,
    nurserySize: 16_384,
    nurserySizeMax: 16_384,
    threshold: 2 ** 30,
    blockSize: 8192,
    stackSize: 64,
  });
  readonly type = this.heap.defineArray('object', 'u8', { first: 'ref', second: 'ref', name: 'i32' });
  readonly roots: Handle[] = [];
  #names = 0;

  /** Makes an object, which a handle holds. */
  make(first?: Handle, second?: Handle): Handle {
    const { fields } = this.type;
    const ref = this.type.allocate(512 - 8 - 12);
    fields.first.set(ref, first?.ref ?? 0);
    fields.second.set(ref, second?.ref ?? 0);
    fields.name.set(ref, this.#names);
    this.#names += 1;
    const handle = this.heap.handle(ref);
    this.roots.push(handle);
    return handle;
  }

  /** Lets go of some. */
  drop(...handles: readonly Handle[]): void {
    for (const handle of handles) {
      this.roots.splice(this.roots.indexOf(handle), 1);
      handle.release();
    }
  }

  /** What is there. */
  draw(options: Pick<Scene, 'showsMarks' | 'spaces'> = {}): Panel {
    const { first, second, name } = this.type.fields;
    const describe = (ref: number): { label: string; references: number[] } => ({
      label: String.fromCharCode(65 + (name.get(ref) % 26)),
      references: [first.get(ref), second.get(ref)].filter((to) => to !== 0),
    });
    return panel({ heap: this.heap, describe, roots: this.roots.map(({ ref }) => ref), ...options });
  }
}

function minor(): string {
  const world = new World();
  const [a, b, c, d, e, f, g, h, i, j] = Array.from({ length: 10 }, () => world.make()) as [Handle, Handle, Handle, Handle, Handle, Handle, Handle, Handle, Handle, Handle];
  const { first, second } = world.type.fields;
  first.set(b.ref, e.ref);
  first.set(e.ref, h.ref);
  second.set(h.ref, b.ref);
  first.set(c.ref, d.ref);
  first.set(j.ref, h.ref);
  world.drop(a, c, d, e, f, g, h, i, j);
  const before = world.draw();
  world.heap.collect('minor');
  return picture([
    ['before: one root, three objects reachable', before],
    ['after: copied side by side, the eden is empty', world.draw()],
  ]);
}

function ageing(): string {
  const world = new World();
  const a = world.make();
  world.make(a);
  world.heap.collect('minor');
  const one = world.draw();
  world.heap.collect('minor');
  world.make();
  const two = world.draw();
  world.heap.collect('minor');
  return picture([
    ['after the first minor collection', one],
    ['after the second, in the other survivors\' space; C is new', two],
    ['after the third: A and B are old, C survived its first', world.draw()],
  ]);
}

function remembered(): string {
  const world = new World();
  const a = world.make();
  const b = world.make(a);
  for (let i = 0; i < 3; i += 1) world.heap.collect('minor');
  const c = world.make();
  const d = world.make();
  world.type.fields.second.set(b.ref, c.ref);
  world.drop(a, c, d);
  const before = world.draw();
  world.heap.collect('minor');
  return picture([
    ['before: C is reachable from an old object only, which the write barrier remembered; D is not', before],
    ['after: the old object was read, and its reference updated', world.draw()],
  ]);
}

/** A world of old objects, every other one unreachable. */
function oldWorld(count: number): World {
  const world = new World();
  const handles: Handle[] = [];
  for (let i = 0; i < count; i += 1) handles.push(world.make(handles.at(-2)));
  for (let i = 0; i < 3; i += 1) world.heap.collect('minor');
  world.drop(...handles.slice(0, -1));
  return world;
}

function marking(): string {
  const world = oldWorld(14);
  world.heap.startMarking();
  const begun = world.draw({ spaces: ['old'], showsMarks: true });
  // Marking such a heap takes less than one step: what the sweep finds is what is left to show.
  world.heap.step(-1);
  const marked = world.draw({ spaces: ['old'], showsMarks: true });
  while (!world.heap.step(-1));
  return picture([
    ['the marking began: what the root refers to is marked', begun],
    ['it ended: dark is reached; what is not is taken for free from now on', marked],
    ['swept: the marks are gone, free cells are runs', world.draw({ spaces: ['old'] })],
  ]);
}

function compaction(): string {
  const world = oldWorld(14);
  world.heap.collect('full');
  const before = world.draw({ spaces: ['old'] });
  world.heap.collect('compact');
  return picture([
    ['before: objects with gaps', before],
    ['after: those at the end moved into the gaps, and every reference with them', world.draw({ spaces: ['old'] })],
  ]);
}

mkdirSync(folder, { recursive: true });
for (const [name, draw] of Object.entries({ minor, ageing, remembered, marking, compaction })) writeFileSync(join(folder, `gc-${name}.svg`), draw());
