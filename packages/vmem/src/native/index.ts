/**
 * Memories of the operating system, for Node.js with koffi: mappings that are reserved, committed and given back by page, and files as memory.
 *
 * @module @allokit/vmem/native
 */
export { FileMemory, type FileMemoryAttachOptions, type FileMemoryOpenOptions, type FileMemoryOptions } from './file-memory.ts';
export { NativeMemory, type NativeMemoryOptions, type NativeMemoryToken } from './native-memory.ts';
export { NATIVE_PAGE_SIZE } from './page-size.ts';
export { SystemError } from './system-error.ts';
