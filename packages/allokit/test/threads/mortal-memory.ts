/** A memory through which only so many words can be stored: what a thread leaves behind that dies at a store. */

import type { Memory } from '@allokit/allocator';

/** Thrown in the place of a store that is not made. Nothing that is tested may catch it. */
export class Death extends Error {}

/** How long a handle lives. */
export interface Life {
  /** Stores that it has left. */
  storesLeft: number;
}

const VIEWS = ['i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64', 'f32', 'f64'] as const;
type View = Memory[(typeof VIEWS)[number]];

function spend(life: Life): void {
  if (life.storesLeft <= 0) throw new Death('the owner died at a store');
  life.storesLeft -= 1;
}

/** A view of which every store counts, those of a `fill` one by one. Copies count as one: they only ever write what nobody reads yet. */
function mortalView<V extends View>(view: V, life: Life): V {
  const proxy: V = new Proxy(view, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      if (property === 'fill') {
        return (word: number, start = 0, end = target.length): V => {
          for (let i = start; i < end; i += 1) (proxy as Int32Array)[i] = word;
          return proxy;
        };
      }
      return (...values: unknown[]): unknown => {
        if (property === 'set' || property === 'copyWithin') spend(life);
        return Reflect.apply(value, target, values);
      };
    },
    set: (target, property, value: number) => {
      spend(life);
      (target as Int32Array)[Number(property)] = value;
      return true;
    },
  });
  return proxy;
}

/** A handle on a memory that does not grow. */
export function mortalMemory(memory: Memory, life: Life): Memory {
  const { buffer, committed, reserved, pageSize, shared } = memory;
  const views = Object.fromEntries(VIEWS.map((name) => [name, mortalView(memory[name], life)])) as Pick<Memory, (typeof VIEWS)[number]>;
  return { ...views, buffer, committed, reserved, pageSize, shared, commit: (size) => size <= committed, refresh: () => undefined };
}
