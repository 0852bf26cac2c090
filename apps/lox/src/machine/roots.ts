/**
 * The machine's stack, which is the heap's shadow stack, from the bottom:
 *
 *     | globals | open upvalues | "init" | strings | closures of 64 frames | values ... |
 */

/** Calls within one another, the script included. */
export const FRAMES_MAX = 64;
/** Values that each of them may have, about: a call that would need more than is left overflows the stack. */
const FRAME_SLOTS = 256;

/** Slots of the stack that are no values. */
export const Root = { Globals: 0, OpenUpvalues: 1, Init: 2, Strings: 3, Frames: 4 } as const;

/** The first slot that is one. */
export const VALUES_START: number = Root.Frames + FRAMES_MAX;
/** What calls of code that does not come from Lox may take above everything else. */
const RESERVE = 64;
/** Bytes of the stack. */
export const STACK_SIZE: number = Math.ceil(((VALUES_START + FRAMES_MAX * FRAME_SLOTS + RESERVE) * 4) / 64) * 64;
/** The slot where values must end. */
export const VALUES_END: number = VALUES_START + FRAMES_MAX * FRAME_SLOTS;
