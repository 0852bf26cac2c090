/**
 * The part for Node.js: trace files, and the tuner with a thread for each candidate.
 *
 * @module @allokit/inspect/node
 */
export { isTraceName, readTrace, requireFiles, writeTrace } from './trace-file.ts';
export { tuneInThreads, type TuneThreadsOptions } from './tune-in-threads.ts';
