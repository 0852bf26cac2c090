/** One life of a heap: made, used frame by frame, checked, emptied, released. */

import { AllocatorError, resident, type GameHeap } from 'allokit';
import { collectGarbage } from './collector.ts';
import { Script } from './frame.ts';
import { HeapFull } from './heap-full.ts';
import { HeapStage } from './heap-stage.ts';
import type { MemoryKind } from './memory.ts';
import { begin, type Beginning, type Policy } from './policy.ts';

/** What a session is to do. Can be sent to a process. */
export interface SessionOptions {
  readonly kind: MemoryKind;
  /** Bytes of the heap. */
  readonly size: number;
  readonly policy: Policy;
  readonly frames: number;
  readonly seed: number;
}

/** The heap between two frames; sizes in bytes. */
export interface Sample {
  /** Frames done. */
  readonly frame: number;
  readonly committed: number;
  readonly capacity: number;
  readonly allocated: number;
  readonly peak: number;
  /** `undefined` where nobody can tell. */
  readonly resident: number | undefined;
}

/** What became of it. */
export interface SessionResult {
  readonly policy: Policy;
  readonly beginning?: Beginning;
  /** Milliseconds of each frame. */
  readonly frameMs: readonly number[];
  readonly samples: readonly Sample[];
  /** The checksum of everything after the last frame. */
  readonly digest?: number;
  /** Whether nothing was left in the heap when everything was freed. */
  readonly isDrained: boolean;
  /** Why it ended early. */
  readonly failure?: string;
  /** Why it did not begin: this machine does not have, or refuses, what the policy does beforehand. */
  readonly absence?: string;
}

/** Samples taken of a run, about. */
const SAMPLE_COUNT = 60;

/**
 * For the compiler to get used to the code: frames that do not count, not more than are to come. In two heaps, one after the other: code compiled for a
 * single one
 * takes its address for a constant, and is thrown away in the first frame of the next.
 */
const WARM = { frames: 30, heaps: 2, size: 2 ** 27 } as const;

/** Callbacks of a session in this process. */
export interface SessionListener {
  readonly onBeginning?: (beginning: Beginning) => void;
  readonly onSample?: (sample: Sample) => void;
}

/** Runs a session. What goes wrong is in the result, not thrown. */
export async function runSession(options: SessionOptions, listener: SessionListener = {}): Promise<SessionResult> {
  const { kind, size, policy, frames, seed } = options;
  const frameMs: number[] = [];
  const samples: Sample[] = [];
  try {
    for (let i = 0; i < WARM.heaps; i += 1) await warmUp(kind, Math.min(frames, WARM.frames));
    // The engine counts a view of 1 GiB as memory in use, and may start the collector when one is made. What that finds here would be put down to commit.
    collectGarbage();
    const { game, beginning } = await begin(kind, size, policy);
    try {
      listener.onBeginning?.(beginning);
      const stage = new HeapStage(game);
      const script = new Script(stage, seed);
      const sampleEvery = Math.max(1, Math.round(frames / SAMPLE_COUNT));
      const sample = (): void => {
        const taken = sampleOf(game, script.frameCount);
        samples.push(taken);
        listener.onSample?.(taken);
      };
      sample();
      for (let frame = 1; frame <= frames; frame += 1) {
        const start = performance.now();
        script.frame();
        frameMs.push(performance.now() - start);
        if (frame % sampleEvery === 0 || frame === frames) sample();
      }
      game.heap.checkInvariants();
      const digest = script.digest();
      stage.destroy();
      game.heap.checkInvariants();
      return { policy, beginning, frameMs, samples, digest, isDrained: game.heap.stats().liveBytes === 0 };
    } finally {
      game.release();
      game.memory.release();
    }
  } catch (error) {
    if (!(error instanceof HeapFull || error instanceof AllocatorError)) throw error;
    const outcome = { policy, frameMs, samples, isDrained: false };
    if (samples.length > 0 || error instanceof HeapFull) return { ...outcome, failure: `in frame ${frameMs.length + 1}: ${error.message}` };
    const isExtra = policy === 'touch' || policy === 'populate';
    return isExtra ? { ...outcome, absence: error.message } : { ...outcome, failure: `before the first frame: ${error.message}` };
  }
}

function sampleOf(game: GameHeap, frame: number): Sample {
  const { capacity, liveBytes: allocated, peakBytes: peak } = game.heap.stats();
  return { frame, committed: game.memory.committed, capacity, allocated, peak, resident: resident(game.memory) };
}

async function warmUp(kind: MemoryKind, frames: number): Promise<void> {
  const { game } = await begin(kind, WARM.size, 'all');
  const stage = new HeapStage(game);
  const script = new Script(stage, 0);
  for (let frame = 0; frame < frames; frame += 1) script.frame();
  stage.destroy();
  game.release();
  game.memory.release();
}
