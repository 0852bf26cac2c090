/**
 * The types of the machine's objects, and where their fields are.
 *
 *     number      | value:64 |
 *     string      | hash:32 | bytes ... |
 *     code        | bytes ... |
 *     lines       | end of code:32, line:32 | ... |
 *     constants   | values ... |
 *     function    | name | constants | code | lines | arity:32 | upvalues:32 | stack:32 |
 *     upvalue     | value | next | slot:32 |              slot is 0 once the variable has left the stack
 *     closure     | function | upvalues ... |
 *     class       | name | methods | initializer |
 *     instance    | class | fields |
 *     bound       | receiver | method |
 *     native      | name | number:32 |
 *     table       | count:32 | mask:32 | key, value | key, value | ...
 *
 * The interpreter's loop reads fields straight from the words: the offsets are taken from here once.
 */

import type { GenerationalHeap } from '@allokit/generational-gc';

/** Defines the types. Objects of a type carry its number in their header: what `id` is. */
export function defineTypes(heap: GenerationalHeap) {
  return {
    number: heap.define('number', { value: 'f64' }),
    string: heap.defineArray('string', 'u8', { hash: 'i32' }),
    code: heap.defineArray('code', 'u8'),
    lines: heap.defineArray('lines', 'i32'),
    constants: heap.defineArray('constants', 'value'),
    function: heap.define('function', { name: 'ref', constants: 'ref', code: 'ref', lines: 'ref', arity: 'i32', upvalueCount: 'i32', stackSize: 'i32' }),
    upvalue: heap.define('upvalue', { value: 'value', next: 'ref', slot: 'i32' }),
    closure: heap.defineArray('closure', 'ref', { function: 'ref' }),
    class: heap.define('class', { name: 'ref', methods: 'ref', initializer: 'ref' }),
    instance: heap.define('instance', { class: 'ref', fields: 'ref' }),
    bound: heap.define('bound method', { receiver: 'value', method: 'ref' }),
    native: heap.define('native function', { name: 'ref', number: 'i32' }),
    table: heap.defineArray('table', 'value', { count: 'i32', mask: 'i32' }),
    stringTable: heap.defineArray('string table', 'i32'),
  };
}

/** All of them. */
export type ObjectTypes = ReturnType<typeof defineTypes>;
