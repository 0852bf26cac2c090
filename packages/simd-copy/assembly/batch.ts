/**
 * A list of moves, done one after the other without leaving WebAssembly.
 *
 * The list lies in a memory of this module's own, so that nothing is written to the user's but what the moves themselves write. The moves are another
 * module's, called from here directly.
 *
 *     byte 12 * i    to, from, size
 */

/** `move` of `kernels.ts`, instantiated with the user's memory: an import, under this file's name. */
declare function move(to: usize, from: usize, size: usize): void;

/** Does the first `count` moves of the list. */
export function run(count: u32): void {
  const end: usize = (count as usize) * 12;
  for (let i: usize = 0; i < end; i += 12) move(load<u32>(i), load<u32>(i, 4), load<u32>(i, 8));
}
