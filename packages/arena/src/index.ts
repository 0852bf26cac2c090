/**
 * A bump allocator over chunks.
 *
 * @module @allokit/arena
 */
export { ARENA_ALIGNMENT_DEFAULT, Arena, CHUNK_SIZE_DEFAULT, type ArenaAttachOptions, type ArenaMark, type ArenaOptions, type ArenaStats } from './arena.ts';
export { visitArena } from './extents.ts';
