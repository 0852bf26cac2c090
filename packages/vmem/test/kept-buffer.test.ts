import { afterEach, expect, test, vi } from 'vitest';
import { WasmMemory } from '../src/index.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test.each([{ commit: 0 }, { commit: 1 }, { commit: 70_000 }, { commit: 2 ** 22 }])('a memory of which $commit bytes are committed was never grown', ({ commit }) => {
  const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow');
  const memory = WasmMemory.create({ reserve: 2 ** 24, commit, pageSize: 4096 });
  expect(grow).not.toHaveBeenCalled();
  const { buffer } = memory;
  expect(memory.committed).toBeGreaterThanOrEqual(commit);
  expect(memory.stats().foreignBytes).toBe(0);
  // Up to what is committed it need not grow, and the first view lives on.
  for (let used = memory.stats().capacity; used >= 4096; used -= 4096) memory.allocate(4096);
  expect([memory.buffer === buffer, grow.mock.calls.length]).toEqual([true, 0]);
  expect(memory.allocate(65_536)).not.toBe(0);
  expect([memory.buffer === buffer, grow.mock.calls.length]).toEqual([false, 1]);
});
