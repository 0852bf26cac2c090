/**
 * What an allocator's memory looks like, who holds it, and what a program asks of it.
 *
 * @module @allokit/inspect
 */
export { inspected, setInspector, type Inspector } from '@allokit/allocator';
export { CANDIDATES, type Candidate } from './assemblies.ts';
export { drawMap, svgMap, textMap, type DrawnSize, type DrawOptions, type DrawingContext } from './draw.ts';
export { heapMap, heapMapFigures, type CollectedHeap, type Extent, type HeapMap, type HeapMapFigures, type Mappable, type TieredHeap } from './heap-map.ts';
export { heapParts, type HeapPart, type PartKind } from './heap-parts.ts';
export { heapPicture, type HeapPicture, type HeapPictureOptions, type Paint, type Run } from './heap-picture.ts';
export { heapProfileOf, type HeapProfile, type HeapProfileFrame, type HeapProfileNode, type HeapProfileSample } from './heap-profile.ts';
export { leakReport, leakSites, type LeakReportOptions, type LeakSite } from './leak-report.ts';
export { LiveMap } from './live-map.ts';
export { pprofOf, type PprofOptions } from './pprof.ts';
export { Profiled, SAMPLE_INTERVAL, SAMPLE_TIME_SHARE, type ProfiledOptions } from './profiled.ts';
export { Recorded, type RecordedOptions } from './recorded.ts';
export { Replay } from './replay.ts';
export { parseStack, type Frame } from './stack.ts';
export { TraceBuilder } from './trace-builder.ts';
export { KIND, OPERATION_WORDS, TraceError, encodeTrace, parseTrace, type Trace } from './trace.ts';
export {
  Timing,
  demandOf,
  smallestBytes,
  tune,
  tuneReport,
  worstCaseBytes,
  type TraceDemand,
  type TuneOptions,
  type TuneReport,
  type TuneResult,
} from './tune.ts';
