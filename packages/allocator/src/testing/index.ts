/**
 * Whether an allocator keeps the contract: the conformance suite, and a fuzzer with a model of what memory should hold.
 *
 * @module @allokit/allocator/testing
 */
export { ConformanceError } from './assert.ts';
export { conformance, type ConformanceCase, type ConformanceOptions } from './conformance.ts';
export { range, unseenDamage } from './damage.ts';
export { FuzzError, environmentSeed, fuzz, fuzzProgram, type FuzzOptions } from './fuzz.ts';
export { Model, isAllocator, type AnyAllocator, type Block } from './model.ts';
export { monotonicConformance } from './monotonic-conformance.ts';
export { SHAPES, describeOperation, generateProgram, type Operation, type Order, type Program, type ProgramOptions, type Shape } from './programs.ts';
export { Random } from './random.ts';
export { ReplayError, replay, type ReplayOptions } from './replay.ts';
export { shrink, type ShrinkOptions } from './shrink.ts';
export { type Create, type Detection, type Expectations, type Subject } from './subject.ts';
