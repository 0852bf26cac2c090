/** A program that ends in one of many ways, with one block live in each of two heaps. */

import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { inspected, type Allocator } from '@allokit/allocator';
import { Tlsf } from '@allokit/tlsf';
import { WasmMemory } from '@allokit/vmem';

function makeHeap(name: string): Allocator {
  return inspected(Tlsf.create(WasmMemory.create({ reserve: 2 ** 20 }), { size: 2 ** 18 }), name);
}

const ending = process.argv[2];
if (isMainThread) {
  const first = makeHeap('first');
  const block = first.allocate(10);
  makeHeap('second').allocate(20);
  switch (ending) {
    case 'throws':
      throw new Error('it ends here');
    case 'exits':
      process.on('exit', () => first.deallocate(block));
      process.exit(3);
    case 'exits-twice':
      process.on('exit', () => {
        first.deallocate(block);
        process.exit(4);
      });
      break;
    case 'call-sites':
      Error.prepareStackTrace = (_error, sites) => sites;
      break;
    case 'throwing-stack':
      Error.prepareStackTrace = () => {
        throw new Error('no stack');
      };
      break;
    case 'killed':
      process.kill(process.pid, 'SIGKILL');
      break;
    case 'waits':
      setInterval(() => undefined, 1000);
      console.log('ready');
      break;
    case 'computes': {
      console.log('ready');
      const end = performance.now() + 20_000;
      while (performance.now() < end);
      break;
    }
    case 'released':
      first.release();
      break;
    case 'terminates-worker':
    case 'exits-before-worker':
    case 'worker-exits': {
      const worker = new Worker(new URL(import.meta.url), { argv: [ending] });
      worker.on('message', () => void (ending === 'exits-before-worker' ? process.exit() : worker.terminate()));
      break;
    }
  }
} else {
  makeHeap('in-worker').allocate(30);
  if (ending === 'worker-exits') process.exit(0);
  parentPort?.postMessage('ready');
  parentPort?.on('message', () => undefined);
}
