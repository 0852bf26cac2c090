/**
 * The script: what happens in a frame, the same for the same seed on any stage.
 *
 * Sprites appear and die, functions are called, texts grow, and each frame brings a picture of the level. A level lasts so many frames, and two are kept.
 */

import { Random } from '@allokit/allocator/testing';
import { KEYS, type Stage } from './stage.ts';

/** Sprites alive when as many die as are born. */
const SPRITES_MAX = 6000;
const BORN_IN_FRAME = 60;
const CALLS_IN_FRAME = 400;
const PROPERTIES_SET_IN_FRAME = 1500;
const SAMPLES_IN_FRAME = 500;
const FRAMES_IN_LEVEL = 120;
const LEVELS_KEPT = 2;
/** Words of a picture: 64 KiB to 1 MiB. */
const PICTURE_WORDS = { min: 2 ** 14, max: 2 ** 18 } as const;
const TEXT_LENGTH_MAX = 4000;
const ARGUMENTS_MAX = 6;

/** A script at work on a stage. */
export class Script<Node> {
  readonly #stage: Stage<Node>;
  readonly #random: Random;
  readonly #layers: Node[];
  readonly #levels: { readonly node: Node; readonly pictures: Node[] }[] = [];
  /** The sprites; each knows its place here as its slot. */
  readonly #sprites: Node[] = [];
  #frame = 0;
  /** What the calls and look-ups came to: part of the checksum. */
  #tally = 0;

  constructor(stage: Stage<Node>, seed: number) {
    this.#stage = stage;
    this.#random = Random.fromSeed(seed);
    this.#layers = ['background', 'actors', 'effects', 'interface'].map((name) => stage.add(stage.root, name, -1));
  }

  /** Frames done. */
  get frameCount(): number {
    return this.#frame;
  }

  /** A checksum of the stage and of everything that scripts computed. */
  digest(): number {
    return (this.#stage.digest() ^ this.#tally) >>> 0;
  }

  /** Runs the next frame. */
  frame(): void {
    this.#stream();
    this.#bear();
    this.#run();
    this.#render();
    this.#bury();
    this.#frame += 1;
  }

  /** One picture of the level is loaded; the oldest level goes when a new one begins. */
  #stream(): void {
    const stage = this.#stage;
    if (this.#frame % FRAMES_IN_LEVEL === 0) {
      if (this.#levels.length === LEVELS_KEPT) stage.remove(this.#levels.shift()!.node, () => undefined);
      this.#levels.push({ node: stage.add(this.#layers[0]!, `level ${this.#frame / FRAMES_IN_LEVEL + 1}`, -1), pictures: [] });
    }
    const { node, pictures } = this.#levels.at(-1)!;
    const picture = stage.add(node, `picture ${this.#frame}`, -1);
    stage.load(picture, this.#random.next() | 0, this.#random.logUniform(PICTURE_WORDS.min, PICTURE_WORDS.max));
    pictures.push(picture);
  }

  #bear(): void {
    const { length } = this.#sprites;
    for (let i = 0; i < BORN_IN_FRAME; i += 1) {
      // A third hangs on other sprites, and dies with them.
      const isPart = length > 0 && this.#random.chance(1, 3);
      const parent = isPart ? this.#sprites[this.#random.below(this.#sprites.length)]! : this.#layers[1 + this.#random.below(3)]!;
      const sprite = this.#stage.add(parent, `sprite ${this.#random.below(500)}`, this.#sprites.length);
      this.#sprites.push(sprite);
      for (let n = this.#random.between(1, KEYS.length / 2); n > 0; n -= 1) this.#setAny(sprite);
    }
  }

  #run(): void {
    const stage = this.#stage;
    for (let i = 0; i < CALLS_IN_FRAME; i += 1) this.#tallyUp(stage.call(this.#random.between(1, ARGUMENTS_MAX), this.#random.below(1000)));
    for (let i = 0; i < PROPERTIES_SET_IN_FRAME; i += 1) {
      const sprite = this.#anySprite();
      this.#tallyUp(stage.getProperty(sprite, this.#random.below(KEYS.length)));
      this.#setAny(sprite);
    }
    stage.write(this.#anySprite(), `frame ${this.#frame}: ${this.#tally}\n`, TEXT_LENGTH_MAX);
    stage.write(this.#layers[3]!, `${this.#tally & 0xffff} `, TEXT_LENGTH_MAX);
    stage.rename(this.#anySprite(), `renamed in ${this.#frame}`);
  }

  #render(): void {
    this.#tallyUp(this.#stage.advance());
    for (let i = 0; i < SAMPLES_IN_FRAME; i += 1) {
      const { pictures } = this.#levels[this.#random.below(this.#levels.length)]!;
      this.#tallyUp(this.#stage.sample(pictures[this.#random.below(pictures.length)]!, this.#random.below(PICTURE_WORDS.max)));
    }
  }

  #bury(): void {
    while (this.#sprites.length > SPRITES_MAX) this.#stage.remove(this.#anySprite(), (slot) => this.#forget(slot));
  }

  #forget(slot: number): void {
    const last = this.#sprites.pop()!;
    if (slot === this.#sprites.length) return;
    this.#sprites[slot] = last;
    this.#stage.setSlot(last, slot);
  }

  #anySprite(): Node {
    return this.#sprites[this.#random.below(this.#sprites.length)]!;
  }

  #setAny(sprite: Node): void {
    this.#stage.setProperty(sprite, this.#random.below(KEYS.length), this.#random.below(1_000_000));
  }

  #tallyUp(value: number): void {
    this.#tally = (Math.imul(this.#tally, 31) + (value | 0)) | 0;
  }
}
