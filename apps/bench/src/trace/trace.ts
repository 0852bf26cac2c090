/** Allocation traces: what a program asked of its allocator, in order. */

export { KIND, OPERATION_WORDS, TraceError, encodeTrace, parseTrace, type Trace } from '@allokit/inspect';
