/** A stage of plain objects: what the heap's stage must hold after the same calls. Bitmaps are their seeds. */

import { Digest, hashText } from './digest.ts';
import { KEYS, pixel, type Stage } from './stage.ts';

/** A node of the model. */
export interface ModelNode {
  parent: ModelNode | undefined;
  readonly children: Set<ModelNode>;
  readonly properties: Map<number, number>;
  slot: number;
  name: string;
  x: number;
  y: number;
  bitmap: { readonly seed: number; readonly words: number };
  text: string;
}

/** The stage; its nodes are objects. */
export class ModelStage implements Stage<ModelNode> {
  readonly root: ModelNode = this.#node(undefined, 'root', -1);

  add(parent: ModelNode, name: string, slot: number): ModelNode {
    const node = this.#node(parent, name, slot);
    parent.children.add(node);
    return node;
  }

  remove(node: ModelNode, onRemoved: (slot: number) => void): void {
    for (const child of [...node.children]) this.remove(child, onRemoved);
    node.parent?.children.delete(node);
    onRemoved(node.slot);
  }

  setSlot(node: ModelNode, slot: number): void {
    node.slot = slot;
  }

  rename(node: ModelNode, name: string): void {
    node.name = name;
  }

  setProperty(node: ModelNode, key: number, value: number): void {
    node.properties.set(key, value);
  }

  getProperty(node: ModelNode, key: number): number {
    return node.properties.get(key) ?? 0;
  }

  load(node: ModelNode, seed: number, words: number): void {
    node.bitmap = { seed, words };
  }

  sample({ bitmap: { seed, words } }: ModelNode, at: number): number {
    return words === 0 ? 0 : pixel(seed, at % words);
  }

  write(node: ModelNode, text: string, lengthMax: number): void {
    node.text = (node.text.length > lengthMax ? '' : node.text) + text;
  }

  call(count: number, first: number): number {
    let sum = 0;
    for (let depth = 0; depth < count; depth += 1) for (let i = depth; i < count; i += 1) sum += first + i;
    return sum;
  }

  advance(): number {
    const digest = new Digest();
    walk(this.root, (node) => {
      node.x = (node.x + (node.slot & 7) + 1) | 0;
      node.y = (node.y + (node.slot >> 3)) | 0;
      digest.add(node.x ^ (node.y << 16));
    });
    return digest.value;
  }

  digest(): number {
    const digest = new Digest();
    walk(this.root, ({ slot, x, y, name, properties, bitmap, text }) => {
      for (const word of [slot, x, y, bitmap.words, text.length]) digest.add(word);
      for (let i = 0; i < name.length; i += 1) digest.add(name.charCodeAt(i));
      for (const [key, value] of properties) {
        digest.add(hashText(KEYS[key]!));
        digest.add(value | 0);
      }
      for (let i = 0; i < bitmap.words; i += 1) digest.add(pixel(bitmap.seed, i));
      for (let i = 0; i < text.length; i += 1) digest.add(text.charCodeAt(i));
    });
    return digest.value;
  }

  #node(parent: ModelNode | undefined, name: string, slot: number): ModelNode {
    return { parent, children: new Set(), properties: new Map(), slot, name, x: 0, y: 0, bitmap: { seed: 0, words: 0 }, text: '' };
  }
}

function walk(node: ModelNode, visit: (node: ModelNode) => void): void {
  visit(node);
  for (const child of node.children) walk(child, visit);
}
