/** The compiler: from a source to bytecode, all of it in linear memory. */

export { compile, SOURCE_SIZE_MAX, type Compilation } from './compile.ts';
export { MESSAGES, type Message } from './messages.ts';
export { OutOfRecords } from './records.ts';
