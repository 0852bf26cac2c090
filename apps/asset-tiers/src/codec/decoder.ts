/**
 * A PNG decoder from the registry, at work in the memory of the tiers: it reads a file where the registry put it, and leaves the pixels where they can be drawn
 * from.
 *
 *     page 0    the module's constants: the same for every thread
 *     page 1    the page's own stack and, at its start, three words of results
 *     page 2..  a worker's, each
 *     behind    the memory's allocator, and the tiers
 *
 * Its `malloc` takes the finished pixels from the tier for what goes to a GPU, everything else from the tier for what is soon gone.
 */

import { NULL, cMalloc, type Address, type CMalloc } from '@allokit/allocator';
import type { Tier } from '@allokit/tiered-arena';
import { WASM_PAGE_SIZE } from '@allokit/vmem';

/** Pixels in a tier: four bytes each, rows from above. */
export interface Pixels {
  /** The block, which is the caller's. */
  readonly handle: Address;
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
}

/** Where a decoder works. */
export interface DecoderPlace {
  /** The memory: what the module imports. */
  readonly wasm: WebAssembly.Memory;
  /** Which thread's stack it uses, counted from 0. */
  readonly lane: number;
  /** Where pixels go. */
  readonly pixels: Tier;
  /** Where everything else goes that it allocates. */
  readonly scratch: Tier;
}

/** Pages at the start of the memory that belong to the decoders of so many threads. */
export function decoderPages(laneCount: number): number {
  return 1 + laneCount;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Width and height of a picture, as the start of its file says. Throws Error when the bytes are no PNG. */
export function pictureSize(png: Uint8Array): { readonly width: number; readonly height: number } {
  if (png.length < 33 || SIGNATURE.some((byte, i) => png[i] !== byte)) throw new Error('these bytes are no PNG');
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

/** The decoder of one thread. */
export class Decoder {
  readonly #wasm: WebAssembly.Memory;
  readonly #results: Address;
  readonly #malloc: PixelMalloc;
  readonly #decode: (out: Address, width: Address, height: Address, file: Address, size: number) => number;

  private constructor(exports: WebAssembly.Exports, place: DecoderPlace, malloc: PixelMalloc) {
    this.#wasm = place.wasm;
    this.#results = stackStart(place.lane);
    this.#malloc = malloc;
    this.#decode = exports['lodepng_decode32'] as (...words: number[]) => number;
  }

  /**
   * Makes a decoder.
   *
   * @param module - The relinked module, for a memory that is shared or not as this one is.
   */
  static async create(module: WebAssembly.Module, place: DecoderPlace): Promise<Decoder> {
    const malloc = new PixelMalloc(place.pixels, place.scratch);
    const stackPointer = new WebAssembly.Global({ value: 'i32', mutable: true }, stackStart(place.lane) + WASM_PAGE_SIZE);
    const { exports } = await WebAssembly.instantiate(module, { env: { memory: place.wasm, __stack_pointer: stackPointer, ...malloc.imports } });
    return new Decoder(exports, place, malloc);
  }

  /**
   * Decodes a picture.
   *
   * @param address - Where its file lies.
   * @param size - Bytes of the file.
   * @throws Error when it is no PNG, or a damaged one, or there is no room: nothing stays allocated then.
   */
  decode(address: Address, size: number): Pixels {
    const { width, height } = pictureSize(new Uint8Array(this.#wasm.buffer, address, size));
    this.#malloc.pixelBytes = width * height * 4;
    const results = new Uint32Array(this.#wasm.buffer, this.#results, 3);
    results.fill(0);
    const error = this.#decode(this.#results, this.#results + 4, this.#results + 8, address, size);
    const [handle] = new Uint32Array(this.#wasm.buffer, this.#results, 1);
    if (error === 0 && handle !== undefined) return { handle, width, height };
    if (handle !== undefined && handle !== NULL) this.#malloc.imports.free(handle);
    throw new Error(`the decoder gave up with its error ${error}`);
  }
}

/** `malloc` over two tiers: blocks of exactly a picture's size are its pixels. */
class PixelMalloc {
  /** Bytes of the picture being decoded. */
  pixelBytes = 0;
  readonly imports: Pick<CMalloc, 'malloc' | 'free' | 'realloc'>;

  constructor(pixels: Tier, scratch: Tier) {
    const top = cMalloc(pixels);
    const bottom = cMalloc(scratch);
    const ownerOf = (address: Address): CMalloc => (pixels.owns(address >>> 0) ? top : bottom);
    this.imports = {
      malloc: (size) => (size >>> 0 === this.pixelBytes ? top : bottom).malloc(size),
      free: (address) => ownerOf(address).free(address),
      realloc: (address, size) => ownerOf(address).realloc(address, size),
    };
  }
}

function stackStart(lane: number): Address {
  return (1 + lane) * WASM_PAGE_SIZE;
}
