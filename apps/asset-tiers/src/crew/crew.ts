/** Who loads assets and works in the tiers beside the page: workers where memory can be shared, otherwise the page's own thread. */

import type { Entry } from '../assets/catalog.ts';
import type { Workers } from '../world/frames.ts';

/** What becomes of a load. */
export type LoadEvent =
  | { readonly kind: 'progress'; readonly path: string; readonly part: number }
  | { readonly kind: 'loaded'; readonly path: string; readonly lane: number }
  | { readonly kind: 'failed'; readonly path: string; readonly reason: string };

/** The crew. */
export interface Crew extends Workers {
  /** Loads under way. */
  readonly loadingCount: number;
  /** Whether nobody has temporary blocks. */
  readonly isIdle: boolean;
  /** Loads assets, dealt out among the workers. */
  load(entries: readonly Entry[]): void;
  /** Starts or stops allocating temporary blocks. */
  setBusy(isBusy: boolean): void;
  /** Terminates a worker wherever it is, cleans up after it, and puts another in its place. Only while nobody loads. `undefined` where there are no workers. */
  readonly replace: ((lane: number) => Promise<void>) | undefined;
  /** Is called once a frame: who has no thread of its own works then. */
  tick(): void;
}

/** What a crew tells the page. */
export type Listener = (event: LoadEvent) => void;

/** An error, as it is told to people. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
