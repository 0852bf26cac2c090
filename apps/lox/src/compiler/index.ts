/** The compiler: from a source to bytecode, all of it in linear memory. */

export { readBytecode, type BytecodeConstant, type FunctionBytecode } from './bytecode.ts';
export { compile, SOURCE_SIZE_MAX, type Compilation } from './compile.ts';
export { MESSAGES, type Message } from './messages.ts';
export { Opcode } from './opcode.ts';
export { OutOfRecords } from './records.ts';
