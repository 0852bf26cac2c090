/** Traces on disk, compressed with gzip or not. */

export { isTraceName, readTrace, requireFiles, writeTrace } from '@allokit/inspect/node';
