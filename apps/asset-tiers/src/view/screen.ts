/** The frame drawn last, on a canvas. */

import type { Address, Memory } from '@allokit/allocator';

/** The canvas, and how long frames take. */
export class Screen {
  /** What a frame took lately, drawing included: a running mean. */
  milliseconds = 0;
  readonly #context: CanvasRenderingContext2D;
  readonly #image: ImageData;

  constructor(canvas: HTMLCanvasElement, { width, height }: { readonly width: number; readonly height: number }) {
    canvas.width = width;
    canvas.height = height;
    this.#context = canvas.getContext('2d', { alpha: false })!;
    this.#image = new ImageData(width, height);
  }

  /** Shows the pixels at an address. A canvas takes none from shared memory: they are copied. */
  show(memory: Memory, target: Address, milliseconds: number): void {
    this.#image.data.set(memory.u8.subarray(target, target + this.#image.data.length));
    this.#context.putImageData(this.#image, 0, 0);
    this.milliseconds += (milliseconds - this.milliseconds) * 0.1;
    this.#context.canvas.parentElement?.classList.add('is-live');
  }
}
