/** Modules for tests, byte by byte: what no assembler writes, and engines accept. */

import { name, unsigned } from '../src/module/encoding.ts';

/** A section: its entries, each as bytes. */
export function section(id: number, ...entries: readonly (readonly number[])[]): number[] {
  const payload = [...unsigned(entries.length), ...entries.flat()];
  return [id, ...unsigned(payload.length), ...payload];
}

/** An export. */
export function exported(text: string, kind: number, index: number): number[] {
  return [...name(text), kind, ...unsigned(index)];
}

/** A function of the code section. */
export function body(locals: readonly number[], ...code: readonly number[]): number[] {
  return [...unsigned(locals.length + code.length), ...locals, ...code];
}

/** The module. */
export function binary(...sections: readonly (readonly number[])[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]);
}
