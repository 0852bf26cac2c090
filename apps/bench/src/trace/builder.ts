/** Builds a trace operation by operation, so that generated work is described, verified and run natively in the same form as recorded work. */

export { TraceBuilder } from '@allokit/inspect';
