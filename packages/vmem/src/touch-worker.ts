/** Threads that touch pages of shared memory: web workers, or those of Node.js, found without an import so that browsers can load this file. */

import { AllocatorError } from '@allokit/allocator';

/** A thread that does one thing at a time. */
export interface TouchWorker {
  /** As `writePages` in `touch.ts`. */
  touch(buffer: ArrayBufferLike, from: number, to: number, step: number): Promise<void>;
  /** Ends the thread. */
  stop(): Promise<void>;
}

/** What the thread runs: text, since a library cannot know where a bundler puts its files. */
const SOURCE = `
const port = globalThis.process?.getBuiltinModule?.('node:worker_threads')?.parentPort ?? globalThis;
port.onmessage = ({ data: { buffer, from, to, step } }) => {
  const words = new Int32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
  for (let offset = from; offset < to; offset += step) Atomics.or(words, offset >>> 2, 0);
  Atomics.or(words, (to - 1) >>> 2, 0);
  port.postMessage(0);
};
`;

/** A thread of either kind. */
interface Thread {
  postMessage(message: unknown): void;
  stop(): Promise<unknown>;
}

interface NodeWorker {
  on(event: 'message' | 'error' | 'exit', listener: (value: unknown) => void): void;
  postMessage(message: unknown): void;
  terminate(): Promise<unknown>;
}

interface WorkerThreads {
  readonly Worker: new (source: string, options: { readonly eval: true }) => NodeWorker;
}

/** @throws AllocatorError `unsupported` where there are no threads. */
export function startTouchWorker(): TouchWorker {
  let pending: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  const done = (): void => pending?.resolve();
  const fail = (cause: unknown): void => pending?.reject(new AllocatorError('unsupported', 'the thread that should touch pages cannot run', { cause }));
  const thread = start(done, fail);
  return {
    touch: (buffer, from, to, step) =>
      new Promise((resolve, reject) => {
        pending = { resolve, reject };
        thread.postMessage({ buffer, from, to, step });
      }),
    async stop() {
      await thread.stop();
    },
  };
}

function start(done: () => void, fail: (cause: unknown) => void): Thread {
  const { process } = globalThis as unknown as { readonly process?: { getBuiltinModule?(id: string): unknown } };
  const threads = process?.getBuiltinModule?.('node:worker_threads') as WorkerThreads | undefined;
  if (threads !== undefined) {
    const worker = new threads.Worker(SOURCE, { eval: true });
    worker.on('message', done);
    worker.on('error', fail);
    worker.on('exit', fail);
    return { postMessage: (message) => worker.postMessage(message), stop: () => worker.terminate() };
  }
  if (typeof Worker !== 'function') throw new AllocatorError('unsupported', 'there are no worker threads here: touch pages with another strategy than "parallel"');
  const url = URL.createObjectURL(new Blob([SOURCE], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.onmessage = done;
  worker.onerror = fail;
  return {
    postMessage: (message) => worker.postMessage(message),
    stop() {
      worker.terminate();
      URL.revokeObjectURL(url);
      return Promise.resolve();
    },
  };
}
