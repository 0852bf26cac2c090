/**
 * A precise, moving, generational, incremental garbage collector for objects in linear memory.
 *
 * @module @allokit/generational-gc
 */

export { type Elements } from './elements.ts';
export { SMALL_INTEGER_MAX, SMALL_INTEGER_MIN, integerOf, isSmallInteger, smallInteger, type FieldKind } from './field-kind.ts';
export { type Field } from './fields.ts';
export { Handle, Local, Scope, type Root } from './handle.ts';
export { type HeapStats, type TypeCensus } from './heap-stats.ts';
export { GenerationalHeap, type AttachedHeap, type CollectionKind, type HeapCell } from './heap.ts';
export { type ImageOptions } from './image.ts';
export { type Fields, type Layout } from './layout.ts';
export { ArrayType, ObjectType, RecordType, type FieldsOf, type NumberFor } from './object-type.ts';
export { type PauseStats } from './pause-histogram.ts';
export { type Phase } from './old-cycle.ts';
export { PRESETS, detectPreset, presetOptions, type Preset, type PresetName } from './presets.ts';
export { Pin, WeakReference } from './references.ts';
export { type HeapOptions, type StressAction, type StressOptions } from './settings.ts';
export { ShadowStack } from './shadow-stack.ts';
export { type TypeDescriptor } from './type-table.ts';
export { WeakTable } from './weak-table.ts';
