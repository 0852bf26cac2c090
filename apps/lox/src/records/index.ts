/** Where the compiler's records lie. */

export { ArenaSpace } from './arena-space.ts';
export { HybridSpace } from './hybrid-space.ts';
export { RECORD_KINDS, RecordKind, type RecordDescriptor } from './record-kind.ts';
export { type RecordKindStats, type RecordSpace, type RecordSpaceStats } from './record-space.ts';
export { Tally } from './tally.ts';
