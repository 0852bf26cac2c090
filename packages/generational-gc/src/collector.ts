/** When what is collected: the order of the phases, and what starts them. */

import { AllocatorError, NULL, type Address } from '@allokit/allocator';
import { compact } from './compaction.ts';
import type { HeapCore, Occupation } from './core.ts';
import { Evacuation } from './evacuation.ts';
import { MARKED, REMEMBERED } from './header.ts';
import { largeBlockSize, type LargeSpace } from './large-space.ts';
import { Marker } from './marker.ts';
import type { Nursery } from './nursery.ts';
import type { OldSpace } from './old-space.ts';
import { PauseHistogram } from './pause-histogram.ts';
import type { Roots } from './roots.ts';
import type { Settings } from './settings.ts';
import { nextNurserySize, nextThreshold } from './tuning.ts';

/** What the old space is in the middle of. */
export type Phase = 'idle' | 'marking' | 'sweeping';

/** The parts of a heap. */
export interface HeapParts {
  readonly core: HeapCore;
  readonly nursery: Nursery;
  readonly old: OldSpace;
  readonly large: LargeSpace;
  readonly roots: Roots;
  readonly settings: Settings;
}

/** Pauses by what they were for. */
export interface Pauses {
  readonly minor: PauseHistogram;
  readonly mark: PauseHistogram;
  readonly sweep: PauseHistogram;
  readonly full: PauseHistogram;
  readonly compact: PauseHistogram;
}

/** Weight of the latest minor pause in the typical one. */
const RECENT = 0.25;

/** The collector of a heap. */
export class Collector {
  readonly #parts: HeapParts;
  readonly #core: HeapCore;
  readonly #settings: Settings;
  readonly #evacuation: Evacuation;
  readonly #marker: Marker;
  /** Of every kind. */
  readonly pauses: Pauses = {
    minor: new PauseHistogram(),
    mark: new PauseHistogram(),
    sweep: new PauseHistogram(),
    full: new PauseHistogram(),
    compact: new PauseHistogram(),
  };
  /** What the old space is in the middle of. */
  phase: Phase = 'idle';
  /** Bytes of old objects at which the next marking starts. */
  threshold: number;
  /** Complete markings. */
  cycleCount = 0;
  /** Bytes that became old. */
  promotedBytes = 0;
  /** Bytes allocated in the nursery, as of the last minor collection. */
  allocatedBytes = 0;
  /** Bytes that survived a minor collection, each time counted. */
  survivedBytes = 0;
  /** Bytes that minor collections began with. */
  youngBytes = 0;
  /** Called for a stressed heap that wants it. */
  verify: () => void = () => undefined;
  #isWeakTreated = false;
  #recentPauseMs = 0;
  #largeBytesUntilWork: number;
  #isRunningFinalizersPlanned = false;

  constructor(parts: HeapParts) {
    this.#parts = parts;
    this.#core = parts.core;
    this.#settings = parts.settings;
    this.#evacuation = new Evacuation(parts.core, parts.old, parts.roots);
    this.#marker = new Marker(parts.core, parts.settings.clock);
    this.threshold = parts.settings.threshold;
    this.#largeBytesUntilWork = parts.settings.nurserySize;
  }

  /** Bytes of old and large objects, those included that nobody found dead yet. */
  get oldBytes(): number {
    return this.#parts.old.usedBytes + this.#parts.large.usedBytes;
  }

  /** Refuses what must not happen now. */
  checkIdle(): void {
    this.#core.renew();
    const { occupation } = this.#core;
    if (occupation === '') return;
    if (occupation === 'broken') throw new AllocatorError('corrupt', 'this heap was damaged when a collection failed: nothing in it can be trusted');
    throw new AllocatorError('busy', occupation === 'finalizers' ? 'a finalizer must not allocate or collect' : 'the heap is in the middle of a collection');
  }

  /** The slow path of every allocation: see `HeapCore.makeRoom`. */
  makeRoom(cellSize: number): Address {
    this.checkIdle();
    const { nursery } = this.#parts;
    const { stress } = this.#settings;
    if (stress !== undefined) this.#stress();
    let cell = nursery.bump(cellSize);
    if (cell === NULL) {
      this.minor();
      this.work();
      cell = nursery.bump(cellSize);
    }
    if (cell === NULL) {
      this.full();
      cell = nursery.bump(cellSize);
    }
    if (cell === NULL) this.#refuse(cellSize);
    nursery.open(stress?.everyBytes);
    return cell;
  }

  /** A large object: see `LargeSpace.allocate`. */
  makeLarge(size: number, first: number, second: number): Address {
    this.checkIdle();
    const { large } = this.#parts;
    if (this.#settings.stress !== undefined) {
      this.#stress();
      this.#parts.nursery.open(this.#settings.stress.everyBytes);
    }
    this.#largeBytesUntilWork -= size;
    if (this.#largeBytesUntilWork < 0) {
      this.#largeBytesUntilWork = this.#settings.nurserySize;
      this.work();
    }
    let ref = large.allocate(size, first, second);
    if (ref === NULL && largeBlockSize(size) <= this.#settings.limit) {
      this.full();
      ref = large.allocate(size, first, second);
    }
    if (ref === NULL) this.#refuse(size);
    return ref;
  }

  /** Collects the nursery. @param pinned - See `Evacuation.run`. */
  minor(pinned = 0): Address {
    return this.#pause('minor', () => {
      const start = this.#settings.clock();
      const moved = this.#evacuate(pinned);
      const pauseMs = this.#settings.clock() - start;
      this.#recentPauseMs += (pauseMs - this.#recentPauseMs) * (this.#recentPauseMs === 0 ? 1 : RECENT);
      if (this.phase !== 'marking') this.#resize();
      return moved;
    });
  }

  /** What is to be done at a collection's occasion: starts a marking when it is time, or goes on with what is under way. */
  work(): void {
    if (this.#parts.nursery.isDegraded) return;
    const { incremental, pauseTargetMs } = this.#settings;
    if (this.phase === 'idle' && this.oldBytes >= this.threshold) {
      if (incremental) this.start();
      else this.full();
    }
    if (this.phase !== 'idle') this.step(pauseTargetMs);
  }

  /** Starts a marking, if none is under way. */
  start(): void {
    if (this.phase === 'sweeping') this.#pause('sweep', () => this.#sweepAll());
    if (this.phase !== 'idle') return;
    this.minor();
    if (this.#parts.nursery.isDegraded) {
      this.full();
      return;
    }
    this.#pause('mark', () => {
      const { nursery, roots } = this.#parts;
      this.#marker.begin(false);
      roots.update((value) => this.#marker.markRoot(value));
      this.#marker.markRange(nursery.survivorsStart, nursery.survivorsEnd);
      this.#core.isMarking = true;
      this.#isWeakTreated = false;
      this.phase = 'marking';
    });
  }

  /**
   * Goes on with what is under way.
   *
   * @param budgetMs - In milliseconds.
   * @param quantum - See `Marker.drain`.
   * @returns Whether nothing is under way any more.
   */
  step(budgetMs: number, quantum?: number): boolean {
    const { clock } = this.#settings;
    const deadline = clock() + budgetMs;
    if (this.#isIdle()) return true;
    // At least a little is done each time, so that whoever calls again and again comes to an end.
    if (this.phase === 'sweeping') this.#pause('sweep', () => this.#sweep(deadline));
    else this.#pause('mark', () => this.#mark(deadline, quantum));
    if (!this.#isIdle() && !this.#core.isMarking && clock() < deadline) this.#pause('sweep', () => this.#sweep(deadline));
    if (this.#isIdle() && this.#settings.compaction) this.#compactIfSparse();
    return this.#isIdle();
  }

  /** Collects everything in one pause. What is dead afterwards was not when this began. */
  full(): void {
    this.#pause('full', () => {
      if (this.phase === 'marking') this.#mark(Infinity);
      this.#sweepAll();
      const { roots } = this.#parts;
      this.#marker.begin(true);
      roots.update((value) => this.#marker.markRoot(value));
      this.#isWeakTreated = false;
      this.#mark(Infinity);
      this.#evacuate(0);
      this.#sweepAll();
      this.#resize();
    });
    if (this.#settings.compaction) this.#compactIfSparse();
  }

  /** Collects everything, and closes the gaps in the old space. */
  compact(): void {
    this.full();
    this.#pause('compact', () => this.#compactNow());
  }

  /** Runs the finalizers that are due. @returns How many. */
  runFinalizers(): number {
    this.checkIdle();
    const { finalizers } = this.#parts.roots;
    const { due } = finalizers;
    finalizers.due = [];
    const errors: unknown[] = [];
    this.#occupy('finalizers', () => {
      for (const { ref, finalize } of due) {
        try {
          finalize(ref);
        } catch (error) {
          errors.push(error);
        }
      }
    });
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} of ${due.length} finalizers failed`);
    if (errors.length === 1) throw errors[0];
    return due.length;
  }

  /** A method, because the compiler takes a field for unchanged that a call changes. */
  #isIdle(): boolean {
    return this.phase === 'idle';
  }

  #refuse(size: number): never {
    const { limit, takenBytes } = this.#core;
    throw new AllocatorError('out-of-memory', `no room for ${size} bytes: ${takenBytes} of ${limit} bytes are taken, and everything in them is reachable`);
  }

  /** A pause of some kind: counted, and with the doors closed. */
  #pause<T>(kind: keyof Pauses, action: () => T): T {
    const { clock } = this.#settings;
    // A pause within another one is a part of it.
    if (this.#core.occupation === 'collection') return action();
    const start = clock();
    const result = this.#occupy('collection', action);
    this.pauses[kind].record(clock() - start);
    this.#planFinalizers();
    return result;
  }

  #occupy<T>(occupation: Occupation, action: () => T): T {
    const { nursery } = this.#parts;
    this.checkIdle();
    this.#core.occupation = occupation;
    nursery.close();
    let isDone = false;
    try {
      const result = action();
      isDone = true;
      return result;
    } finally {
      this.#core.occupation = isDone ? '' : 'broken';
      if (isDone) nursery.open(this.#settings.stress?.everyBytes);
    }
  }

  #planFinalizers(): void {
    const { scheduleFinalizers } = this.#settings;
    if (scheduleFinalizers === undefined || this.#isRunningFinalizersPlanned || this.#parts.roots.finalizers.due.length === 0) return;
    this.#isRunningFinalizersPlanned = true;
    scheduleFinalizers(() => {
      this.#isRunningFinalizersPlanned = false;
      if (this.#core.occupation !== 'released') this.runFinalizers();
    });
  }

  #evacuate(pinned: Address): Address {
    const { nursery } = this.#parts;
    const { tenure } = this.#settings;
    const core = this.#core;
    const young = nursery.edenBytes + nursery.survivorsBytes;
    this.allocatedBytes += nursery.edenBytes;
    this.youngBytes += young;
    const evacuation = this.#evacuation;
    let moved: Address;
    if (nursery.isDegraded) {
      moved = evacuation.run({ fromStart: core.youngStart, fromSize: core.youngSize, toStart: 0, toEnd: 0, tenure: 1, ageStep: 1 }, pinned);
      nursery.isDegraded = evacuation.stuck.count > 0;
      if (!nursery.isDegraded) nursery.moveTo(nursery.address, nursery.edenSize, 0);
    } else {
      const fromStart = nursery.isInA ? nursery.address : nursery.edenStart;
      const fromSize = nursery.edenSize + nursery.survivorSize;
      const toStart = nursery.targetStart;
      moved = evacuation.run({ fromStart, fromSize, toStart, toEnd: toStart + nursery.survivorSize, tenure, ageStep: 1 }, pinned);
      this.survivedBytes += evacuation.toTop - toStart;
      if (evacuation.stuck.count > 0) nursery.isDegraded = true;
      else nursery.flip(evacuation.toTop);
    }
    this.promotedBytes += evacuation.promotedBytes;
    this.survivedBytes += evacuation.promotedBytes;
    return moved;
  }

  /** Gives the nursery the size that it should have: the survivors move to a new one. */
  #resize(): void {
    const { nursery } = this.#parts;
    const { nurserySize, nurserySizeMax, pauseTargetMs } = this.#settings;
    if (nursery.isDegraded) return;
    const survivors = nursery.survivorsBytes;
    const { edenSize: size, address } = nursery;
    const wanted = nextNurserySize({
      size,
      sizeMin: nurserySize,
      sizeMax: nurserySizeMax,
      occupancy: survivors / nursery.survivorSize,
      pauseMs: this.#recentPauseMs,
      pauseTargetMs,
    });
    if (wanted === size || survivors * 4 > wanted - 64) return;
    const target = nursery.take(wanted);
    if (target === NULL) return;
    const oldBytes = this.#core.youngSize;
    const from = { fromStart: nursery.survivorsStart, fromSize: survivors };
    nursery.moveTo(target, wanted, survivors);
    this.#evacuation.run({ ...from, toStart: target, toEnd: target + survivors, tenure: Infinity, ageStep: 0 });
    this.#core.give(address, oldBytes);
  }

  #mark(deadline: number, quantum?: number): void {
    for (;;) {
      if (!this.#marker.drain(deadline, quantum)) return;
      if (this.#isWeakTreated) break;
      this.#treatWeak();
    }
    this.#pruneRemembered();
    this.#core.grey.clear();
    this.#core.isMarking = false;
    this.#parts.old.beginSweep();
    this.#parts.large.beginSweep();
    this.phase = 'sweeping';
    this.cycleCount += 1;
  }

  /** Everything strong is marked: clears weak references to what is not, and marks what finalizers will see. */
  #treatWeak(): void {
    const core = this.#core;
    // An incremental marking knows nothing of the young.
    const where = (value: number): number => ((core.isMarking && core.isYoung(value)) || core.words[(value >> 2) - 2]! < 0 ? value : 0);
    const { roots } = this.#parts;
    roots.updateWeak(where);
    for (const entry of roots.finalizers.sort(where)) {
      roots.finalizers.due.push(entry);
      this.#marker.markRoot(entry.ref);
    }
    this.#isWeakTreated = true;
  }

  /** Forgets remembered objects that are dead: their cells will be others'. */
  #pruneRemembered(): void {
    const { words, remembered } = this.#core;
    let kept = 0;
    for (let i = 0; i < remembered.count; i += 1) {
      const ref = remembered.entries[i]!;
      const at = (ref >> 2) - 2;
      if ((words[at]! & MARKED) === 0) words[at + 1] = words[at + 1]! & ~REMEMBERED;
      else {
        remembered.entries[kept] = ref;
        kept += 1;
      }
    }
    remembered.count = kept;
  }

  #sweep(deadline: number): void {
    const { old, large } = this.#parts;
    const { clock } = this.#settings;
    do if (!old.sweepNext() && !large.sweepNext()) {
      this.#endCycle();
      return;
    } while (clock() < deadline);
  }

  #sweepAll(): void {
    if (this.phase === 'sweeping') this.#sweep(Infinity);
  }

  #endCycle(): void {
    this.phase = 'idle';
    this.threshold = nextThreshold(this.oldBytes, this.#settings.threshold, this.#settings.limit);
  }

  #compactIfSparse(): void {
    const { old } = this.#parts;
    if (old.capacity - old.usedBytes < old.capacity / 3) return;
    this.#pause('compact', () => this.#compactNow());
  }

  /** With an empty eden: what is dead in it would have to be kept in order too. */
  #compactNow(): void {
    const { nursery } = this.#parts;
    if (nursery.edenBytes > 0) this.#evacuate(0);
    if (!nursery.isDegraded) compact(this.#parts);
  }

  #stress(): void {
    const { stress } = this.#settings;
    switch (stress?.action) {
      case 'minor':
        this.minor();
        break;
      case 'step':
        if (this.phase === 'idle') this.start();
        else this.minor();
        this.step(-Infinity, 2);
        break;
      case 'full':
        this.full();
        break;
      case 'compact':
        this.compact();
        break;
      case undefined:
    }
    if (stress?.verify === true) this.verify();
  }
}
