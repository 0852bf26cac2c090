/**
 * Moving, filling, comparing and searching bytes, 16 at a time. Compiled to WebAssembly by `pnpm kernels`; nothing here allocates or calls out.
 *
 * Short ranges are covered by a first and a last piece that may overlap in the middle, so that no length needs a loop over single bytes; all is loaded before
 * anything is stored, and ranges may overlap therefore. Long ranges are left to the engine's own `memory.copy` and `memory.fill`, where measurement says so.
 *
 * No byte outside of the ranges is written. Of what lies before a range of less than 16 bytes, some may be read, and is ignored.
 */

/** Bytes from which `memory.copy` is faster than a loop. */
const COPY_SIZE_MIN: usize = 512;
/** Bytes from which `memory.fill` is faster than a loop. */
const FILL_SIZE_MIN: usize = 384;

/** In place of an offset: there is none. No range is long enough for it to be one. */
const NONE: usize = 0xffff_ffff;

/** Copies `size` bytes; the ranges may overlap. */
export function move(to: usize, from: usize, size: usize): void {
  if (size <= 16) {
    if (size >= 8) {
      const first = load<u64>(from);
      const last = load<u64>(from + size - 8);
      store<u64>(to, first);
      store<u64>(to + size - 8, last);
    } else if (size >= 4) {
      const first = load<u32>(from);
      const last = load<u32>(from + size - 4);
      store<u32>(to, first);
      store<u32>(to + size - 4, last);
    } else if (size > 0) {
      const first = load<u8>(from);
      const middle = load<u8>(from + (size >> 1));
      const last = load<u8>(from + size - 1);
      store<u8>(to, first);
      store<u8>(to + (size >> 1), middle);
      store<u8>(to + size - 1, last);
    }
    return;
  }
  if (size <= 32) {
    const first = v128.load(from);
    const last = v128.load(from + size - 16);
    v128.store(to, first);
    v128.store(to + size - 16, last);
    return;
  }
  if (size <= 64) {
    const a = v128.load(from);
    const b = v128.load(from, 16);
    const c = v128.load(from + size - 32);
    const d = v128.load(from + size - 32, 16);
    v128.store(to, a);
    v128.store(to, b, 16);
    v128.store(to + size - 32, c);
    v128.store(to + size - 32, d, 16);
    return;
  }
  if (size <= 128) {
    const a = v128.load(from);
    const b = v128.load(from, 16);
    const c = v128.load(from, 32);
    const d = v128.load(from, 48);
    const e = v128.load(from + size - 64);
    const f = v128.load(from + size - 64, 16);
    const g = v128.load(from + size - 64, 32);
    const h = v128.load(from + size - 64, 48);
    v128.store(to, a);
    v128.store(to, b, 16);
    v128.store(to, c, 32);
    v128.store(to, d, 48);
    v128.store(to + size - 64, e);
    v128.store(to + size - 64, f, 16);
    v128.store(to + size - 64, g, 32);
    v128.store(to + size - 64, h, 48);
    return;
  }
  // As unsigned numbers: true as well when the target lies below the source.
  if (size < COPY_SIZE_MIN && to - from >= size) {
    // The last 64 bytes are loaded first: where the ranges overlap, the loop may have changed them when it gets there.
    const end = from + size - 64;
    const a = v128.load(end);
    const b = v128.load(end, 16);
    const c = v128.load(end, 32);
    const d = v128.load(end, 48);
    const last = to + size - 64;
    while (from < end) {
      const e = v128.load(from);
      const f = v128.load(from, 16);
      const g = v128.load(from, 32);
      const h = v128.load(from, 48);
      v128.store(to, e);
      v128.store(to, f, 16);
      v128.store(to, g, 32);
      v128.store(to, h, 48);
      from += 64;
      to += 64;
    }
    v128.store(last, a);
    v128.store(last, b, 16);
    v128.store(last, c, 32);
    v128.store(last, d, 48);
    return;
  }
  memory.copy(to, from, size);
}

/** Sets `size` bytes to the low byte of `value`. */
export function fill(address: usize, value: u32, size: usize): void {
  if (size <= 16) {
    const word: u64 = ((value & 0xff) as u64) * 0x0101_0101_0101_0101;
    if (size >= 8) {
      store<u64>(address, word);
      store<u64>(address + size - 8, word);
    } else if (size >= 4) {
      store<u32>(address, word as u32);
      store<u32>(address + size - 4, word);
    } else if (size > 0) {
      store<u8>(address, value as u8);
      store<u8>(address + (size >> 1), value as u8);
      store<u8>(address + size - 1, value as u8);
    }
    return;
  }
  if (size < FILL_SIZE_MIN) {
    const piece = i8x16.splat(value as i8);
    const last = address + size - 16;
    if (size <= 64) {
      v128.store(address, piece);
      v128.store(last, piece);
      if (size > 32) {
        v128.store(address, piece, 16);
        v128.store(last - 16, piece);
      }
      return;
    }
    const end = last - 48;
    while (address < end) {
      v128.store(address, piece);
      v128.store(address, piece, 16);
      v128.store(address, piece, 32);
      v128.store(address, piece, 48);
      address += 64;
    }
    v128.store(end, piece);
    v128.store(end, piece, 16);
    v128.store(end, piece, 32);
    v128.store(end, piece, 48);
    return;
  }
  memory.fill(address, value as u8, size);
}

/** Where two ranges differ first, counted from their start; `NONE` where they do not. */
function mismatch(a: usize, b: usize, size: usize): usize {
  if (size < 16) {
    if (a + size >= 16 && b + size >= 16) {
      // The 16 bytes that end where the ranges end. What lies before the ranges is shifted out.
      const mask = ~(i8x16.bitmask(i8x16.eq(v128.load(a + size - 16), v128.load(b + size - 16)))) & 0xffff;
      const differing = mask >> (16 - (size as i32));
      return differing == 0 ? NONE : ctz(differing) as usize;
    }
    for (let i: usize = 0; i < size; i += 1) {
      if (load<u8>(a + i) != load<u8>(b + i)) return i;
    }
    return NONE;
  }
  const last = size - 16;
  let i: usize = 0;
  if (size > 64) {
    const end = size - 64;
    while (i < end) {
      const p = v128.xor(v128.load(a + i), v128.load(b + i));
      const q = v128.xor(v128.load(a + i, 16), v128.load(b + i, 16));
      const r = v128.xor(v128.load(a + i, 32), v128.load(b + i, 32));
      const s = v128.xor(v128.load(a + i, 48), v128.load(b + i, 48));
      if (v128.any_true(v128.or(v128.or(p, q), v128.or(r, s)))) break;
      i += 64;
    }
  }
  while (i < last) {
    const equal = i8x16.bitmask(i8x16.eq(v128.load(a + i), v128.load(b + i)));
    if (equal != 0xffff) return i + (ctz(~equal) as usize);
    i += 16;
  }
  const equal = i8x16.bitmask(i8x16.eq(v128.load(a + last), v128.load(b + last)));
  return equal == 0xffff ? NONE : last + (ctz(~equal) as usize);
}

/** Negative, 0 or positive, as the first differing byte of the one range is less than the other's, there is none, or it is greater. */
export function compare(a: usize, b: usize, size: usize): i32 {
  const at = mismatch(a, b, size);
  return at == NONE ? 0 : (load<u8>(a + at) as i32) - (load<u8>(b + at) as i32);
}

/** 1 where the ranges hold the same bytes, 0 otherwise. */
export function equal(a: usize, b: usize, size: usize): i32 {
  return mismatch(a, b, size) == NONE ? 1 : 0;
}

/** Where a range first holds the low byte of `value`, counted from its start; `NONE`, which is -1 to JavaScript, where it does not. */
export function find(address: usize, size: usize, value: u32): usize {
  const wanted = i8x16.splat(value as i8);
  if (size < 16) {
    if (address + size >= 16) {
      const mask = i8x16.bitmask(i8x16.eq(v128.load(address + size - 16), wanted)) >> (16 - (size as i32));
      return mask == 0 ? NONE : ctz(mask) as usize;
    }
    for (let i: usize = 0; i < size; i += 1) {
      if (load<u8>(address + i) == (value as u8)) return i;
    }
    return NONE;
  }
  const last = size - 16;
  let i: usize = 0;
  if (size > 64) {
    const end = size - 64;
    while (i < end) {
      const p = i8x16.eq(v128.load(address + i), wanted);
      const q = i8x16.eq(v128.load(address + i, 16), wanted);
      const r = i8x16.eq(v128.load(address + i, 32), wanted);
      const s = i8x16.eq(v128.load(address + i, 48), wanted);
      if (v128.any_true(v128.or(v128.or(p, q), v128.or(r, s)))) break;
      i += 64;
    }
  }
  while (i < last) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(address + i), wanted));
    if (mask != 0) return i + (ctz(mask) as usize);
    i += 16;
  }
  const mask = i8x16.bitmask(i8x16.eq(v128.load(address + last), wanted));
  return mask == 0 ? NONE : last + (ctz(mask) as usize);
}
