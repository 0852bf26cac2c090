/** What the script of the frames works on: the heap's data structures, or plain objects that do the same, and so tell what must be in the heap. */

/** Names of properties; scripts know them by number. */
export const KEYS = [
  'alpha',
  'rotation',
  'scaleX',
  'scaleY',
  'visible',
  'health',
  'speed',
  'score',
  'ammo',
  'team',
  'state',
  'timer',
  'größe',
  '名前',
  'depth',
  'frame',
] as const;

/** A stage on which `Node` stands for a node. */
export interface Stage<Node> {
  readonly root: Node;
  /** Adds a node, last among the parent's children. `slot` is the script's own. */
  add: (parent: Node, name: string, slot: number) => Node;
  /** Removes a node and all below it, and tells their slots, children before their parents. */
  remove: (node: Node, onRemoved: (slot: number) => void) => void;
  setSlot: (node: Node, slot: number) => void;
  rename: (node: Node, name: string) => void;
  /** Numbers by name. */
  setProperty: (node: Node, key: number, value: number) => void;
  /** 0 for one that was never set. */
  getProperty: (node: Node, key: number) => number;
  /** Gives a node a bitmap of so many words, {@link pixel} by pixel. */
  load: (node: Node, seed: number, words: number) => void;
  /** One word of a node's bitmap; 0 where there is none. */
  sample: (node: Node, at: number) => number;
  /** Appends to a node's text; one longer than `lengthMax` starts anew. */
  write: (node: Node, text: string, lengthMax: number) => void;
  /** Calls a function with `count` numbers from `first` on in an array of its own, which calls one with an argument less; returns the sum of all. */
  call: (count: number, first: number) => number;
  /** Moves every node; returns a checksum of where they are. */
  advance: () => number;
  /** A checksum of everything. */
  digest: () => number;
}

const STRIDE = 0x9e3779b1;

/** The word at `at` of the bitmap that belongs to a seed. */
export function pixel(seed: number, at: number): number {
  return (seed + Math.imul(at, STRIDE)) | 0;
}
