/**
 * Allocation sites as a sampling heap profile: what Chrome's developer tools load in their memory panel (`.heapprofile`), and Visual Studio Code opens as a
 * table.
 */

import type { AllocationSite } from '@allokit/allocator';
import { parseStack, type Frame } from './stack.ts';

/** A profile as Chrome's protocol defines it (`HeapProfiler.SamplingHeapProfile`). */
export interface HeapProfile {
  /** The root of all stacks. */
  readonly head: HeapProfileNode;
  /** The sites, one sample each. */
  readonly samples: readonly HeapProfileSample[];
}

/** A function on the way to an allocation. */
export interface HeapProfileNode {
  /** Where it is. */
  readonly callFrame: HeapProfileFrame;
  /** Bytes that are live and were allocated right here. */
  readonly selfSize: number;
  /** Its number, from 1. */
  readonly id: number;
  /** What it called. */
  readonly children: readonly HeapProfileNode[];
}

/** A place in a script. */
export interface HeapProfileFrame {
  /** The function's name. */
  readonly functionName: string;
  /** The engine's number of the script: `0`, for it is not known. */
  readonly scriptId: string;
  /** The file or URL. */
  readonly url: string;
  /** The line, from 0. */
  readonly lineNumber: number;
  /** The column, from 0. */
  readonly columnNumber: number;
}

/** What one site holds. */
export interface HeapProfileSample {
  /** Live bytes. */
  readonly size: number;
  /** The number of the node. */
  readonly nodeId: number;
  /** Counts the samples, from 1. */
  readonly ordinal: number;
}

interface Node extends HeapProfileNode {
  selfSize: number;
  readonly children: Node[];
}

/**
 * Makes a Chrome heap profile of sites: `JSON.stringify` it into a file that ends in `.heapprofile`. O(sites).
 *
 * @param sites - From `Profiled.sites` or `Tracked.sites`. The sizes sum up to their live bytes; what is not live is left out.
 */
export function heapProfileOf(sites: readonly AllocationSite[]): HeapProfile {
  let count = 0;
  const makeNode = (callFrame: HeapProfileFrame): Node => {
    count += 1;
    return { callFrame, selfSize: 0, id: count, children: [] };
  };
  const head = makeNode(callFrameOf({ functionName: '(root)', file: '', line: 0, column: 0 }));
  const samples: HeapProfileSample[] = [];
  for (const { stack, liveBytes } of sites) {
    if (liveBytes === 0) continue;
    let node = head;
    for (const frame of parseStack(stack).reverse()) {
      const callFrame = callFrameOf(frame);
      const known = node.children.find((child) => isSame(child.callFrame, callFrame));
      const next = known ?? makeNode(callFrame);
      if (known === undefined) node.children.push(next);
      node = next;
    }
    node.selfSize += liveBytes;
    samples.push({ size: liveBytes, nodeId: node.id, ordinal: samples.length + 1 });
  }
  return { head, samples };
}

/** Lines and columns count from 0 here; a frame that has none is at the first. */
function callFrameOf({ functionName, file, line, column }: Frame): HeapProfileFrame {
  return { functionName, scriptId: '0', url: file, lineNumber: Math.max(0, line - 1), columnNumber: Math.max(0, column - 1) };
}

function isSame(a: HeapProfileFrame, b: HeapProfileFrame): boolean {
  return a.functionName === b.functionName && a.url === b.url && a.lineNumber === b.lineNumber && a.columnNumber === b.columnNumber;
}
