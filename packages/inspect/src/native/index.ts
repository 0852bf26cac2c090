/**
 * The part for Node.js: trace files.
 *
 * @module @allokit/inspect/node
 */
export { isTraceName, readTrace, requireFiles, writeTrace } from './trace-file.ts';
