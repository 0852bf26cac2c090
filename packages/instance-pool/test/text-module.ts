/** Modules for tests, in the text format. */

import loadWabt from 'wabt';

const wabt = await loadWabt();
const FEATURES = { multi_memory: true, bulk_memory: true, reference_types: true, simd: true, threads: true, mutable_globals: true, sign_extension: true, multi_value: true, tail_call: true, exceptions: true, sat_float_to_int: true };

/** The binary of a module. */
export function assemble(text: string): Uint8Array<ArrayBuffer> {
  const module = wabt.parseWat('test.wat', text, FEATURES);
  try {
    return new Uint8Array(module.toBinary({ write_debug_names: true }).buffer);
  } finally {
    module.destroy();
  }
}

/** An exported function. */
export type Func = (...values: never[]) => unknown;

/** The exports as functions to call. */
export function functionsOf(exports: WebAssembly.Exports): Record<string, (...values: unknown[]) => unknown> {
  return exports as Record<string, (...values: unknown[]) => unknown>;
}

/** What a function returns, or the message of what it throws. */
export function outcome(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
