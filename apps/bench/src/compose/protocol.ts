/** What the main thread and a worker of `compose` say to each other. */

/** Where the calls stand: in a function for each assembly, or in one for all of them. */
export const SITES = ['own', 'shared'] as const;
export type Site = (typeof SITES)[number];

/** What one worker measures. */
export interface ComposeCase {
  readonly site: Site;
  /** Assemblies alive. */
  readonly aliveCount: number;
  readonly isCompiled: boolean;
}

/** What it is started with. */
export interface ComposeAssignment extends ComposeCase {
  readonly seed: number;
}

/** One round's answer. */
export interface ComposeRound {
  /** Of the first assembly, a replacement. */
  readonly nanoseconds: number;
  /** Requests it refused so far. */
  readonly failureCount: number;
  readonly checksum: number;
}
