/** Whether two compilers made the same of a program. */

/** A function of either. */
interface Bytecode {
  readonly name: string;
  readonly arity: number;
  readonly upvalueCount: number;
  readonly code: readonly number[];
  readonly constants: readonly (number | string | Bytecode)[];
  readonly lines: readonly number[];
}

/** A number that differs as soon as an instruction, a constant or a line does. O(bytes). */
export function checksumOf({ name, arity, upvalueCount, code, constants, lines }: Bytecode): number {
  let sum = mix(mix(textSum(name), arity), upvalueCount);
  for (const byte of code) sum = mix(sum, byte);
  for (const constant of constants)
    sum = mix(sum, typeof constant === 'object' ? checksumOf(constant) : textSum(String(constant)) + (typeof constant === 'number' ? 1 : 0));
  for (const number of lines) sum = mix(sum, number);
  return sum >>> 0;
}

function textSum(text: string): number {
  let sum = text.length;
  for (let i = 0; i < text.length; i += 1) sum = mix(sum, text.charCodeAt(i));
  return sum;
}

/** FNV-1a, a word at a time. */
function mix(sum: number, word: number): number {
  return Math.imul(sum ^ word, 0x0100_0193);
}
