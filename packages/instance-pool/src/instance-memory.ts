/** A WebAssembly memory that a module owns, as the functions of vmem take memories. Nothing is allocated in it. */

import type { Memory } from '@allokit/allocator';
import { WASM_PAGE_SIZE } from '@allokit/vmem';
import { isShared } from './kernels.ts';

/** The view of a memory that pre-touch and the tracking of writes need. */
export class InstanceMemory implements Memory {
  readonly wasm: WebAssembly.Memory;
  readonly reserved: number;
  readonly pageSize: number = WASM_PAGE_SIZE;
  readonly shared: boolean;

  /** @param reserved - The maximum of the memory, in bytes. */
  constructor(wasm: WebAssembly.Memory, reserved: number) {
    this.wasm = wasm;
    this.reserved = reserved;
    this.shared = isShared(wasm);
  }

  get buffer(): ArrayBufferLike {
    return this.wasm.buffer;
  }

  get committed(): number {
    return this.wasm.buffer.byteLength;
  }

  get i8(): Int8Array {
    return new Int8Array(this.buffer);
  }

  get u8(): Uint8Array {
    return new Uint8Array(this.buffer);
  }

  get i16(): Int16Array {
    return new Int16Array(this.buffer);
  }

  get u16(): Uint16Array {
    return new Uint16Array(this.buffer);
  }

  get i32(): Int32Array {
    return new Int32Array(this.buffer);
  }

  get u32(): Uint32Array {
    return new Uint32Array(this.buffer);
  }

  get i64(): BigInt64Array {
    return new BigInt64Array(this.buffer);
  }

  get u64(): BigUint64Array {
    return new BigUint64Array(this.buffer);
  }

  get f32(): Float32Array {
    return new Float32Array(this.buffer);
  }

  get f64(): Float64Array {
    return new Float64Array(this.buffer);
  }

  commit(size: number): boolean {
    if (size <= this.committed) return true;
    try {
      this.wasm.grow(Math.ceil((size - this.committed) / WASM_PAGE_SIZE));
      return true;
    } catch {
      return false;
    }
  }

  refresh(): void {
    // Nothing to do: the buffer is asked for at each use, and an engine's memory is never released.
  }
}
