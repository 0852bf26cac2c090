/**
 * An interleaving checker: runs real threads under every schedule within a bound, and under random ones. For tests, on Node.js only.
 *
 * @module @allokit/allocator/interleaving
 */

export { explore, type ExploreOptions, type ExploreResult } from './explore.ts';
export { InterleavingError, type FailureKind } from './interleaving-error.ts';
export { observed } from './observed.ts';
export { scenario, serve, type Context, type Outcome, type Scenario, type ScenarioDefinition, type ThreadContext, type ThreadError } from './scenario.ts';
export type { SharedMemory } from './hooks.ts';
