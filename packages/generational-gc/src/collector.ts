/** When what is collected, and what must not happen meanwhile. */

import { AllocatorError, NULL, type Address } from '@allokit/allocator';
import { compact } from './compaction.ts';
import type { HeapCore } from './core.ts';
import type { HeapParts } from './heap-parts.ts';
import { largeBlockSize } from './large-space.ts';
import { OldCycle } from './old-cycle.ts';
import { PauseHistogram } from './pause-histogram.ts';
import type { Settings } from './settings.ts';
import { YoungCollections } from './young-collections.ts';

/** Pauses by what they were for. */
export interface Pauses {
  readonly minor: PauseHistogram;
  readonly mark: PauseHistogram;
  readonly sweep: PauseHistogram;
  readonly full: PauseHistogram;
  readonly compact: PauseHistogram;
}

const BUSY: Readonly<Record<'collection' | 'finalizers' | 'image', string>> = {
  collection: 'the heap is in the middle of a collection',
  finalizers: 'a finalizer must not allocate or collect',
  image: 'what chooses what an image leaves out must not allocate or collect',
};

/** The collector of a heap. */
export class Collector {
  readonly #parts: HeapParts;
  readonly #core: HeapCore;
  readonly #settings: Settings;
  /** Collections of the nursery. */
  readonly young: YoungCollections;
  /** Marking and sweeping of the rest. */
  readonly cycle: OldCycle;
  /** Of every kind. */
  readonly pauses: Pauses = {
    minor: new PauseHistogram(),
    mark: new PauseHistogram(),
    sweep: new PauseHistogram(),
    full: new PauseHistogram(),
    compact: new PauseHistogram(),
  };
  /** Called for a stressed heap that wants it. */
  verify: () => void = () => undefined;
  #largeBytesUntilWork: number;
  #isFinalizingPlanned = false;
  #isPausing = false;

  constructor(parts: HeapParts) {
    this.#parts = parts;
    this.#core = parts.core;
    this.#settings = parts.settings;
    this.young = new YoungCollections(parts);
    this.cycle = new OldCycle(parts);
    this.#largeBytesUntilWork = parts.settings.nurserySize;
  }

  /** Refuses what must not happen now. */
  checkIdle(): void {
    this.#core.renew();
    this.checkOccupation();
  }

  /** The same, for a memory that may be gone. */
  checkOccupation(): void {
    const { occupation } = this.#core;
    if (occupation === '' || occupation === 'released') return;
    if (occupation === 'broken') throw new AllocatorError('corrupt', 'this heap was damaged when a collection failed: nothing in it can be trusted');
    throw new AllocatorError('busy', BUSY[occupation]);
  }

  /** Refuses what must not happen in the middle of a collection. */
  checkNotCollecting(): void {
    this.#core.renew();
    if (this.#core.occupation === 'collection') throw new AllocatorError('busy', BUSY.collection);
  }

  /** The slow path of every allocation: see `HeapCore.makeRoom`. */
  makeRoom(cellSize: number): Address {
    this.checkIdle();
    const { nursery } = this.#parts;
    const { stress, clock } = this.#settings;
    if (stress !== undefined) this.#stress();
    let cell = nursery.bump(cellSize);
    if (cell === NULL) {
      this.#closed(() => {
        const start = clock();
        this.minor();
        this.work(start);
      });
      cell = this.#bumpAgain(cellSize);
    }
    if (cell === NULL) {
      this.full();
      cell = this.#bumpAgain(cellSize);
    }
    if (cell === NULL) this.#refuse(cellSize);
    nursery.open(stress?.everyBytes);
    return cell;
  }

  /** A large object: see `LargeSpace.allocate`. */
  makeLarge(size: number, first: number, second: number): Address {
    this.checkIdle();
    const { large, nursery } = this.#parts;
    if (this.#settings.stress !== undefined) {
      this.#stress();
      nursery.open(this.#settings.stress.everyBytes);
    }
    this.#largeBytesUntilWork -= size;
    if (this.#largeBytesUntilWork < 0) {
      this.#largeBytesUntilWork = this.#settings.nurserySize;
      this.#closed(() => this.work(this.#settings.clock()));
      this.checkIdle();
    }
    let ref = large.allocate(size, first, second);
    if (largeBlockSize(size) > this.#settings.limit) throw new AllocatorError('out-of-memory', `an object of ${size} bytes is more than all that the heap may take, which is ${this.#settings.limit}`);
    if (ref === NULL) {
      this.full();
      this.checkIdle();
      ref = large.allocate(size, first, second);
    }
    if (ref === NULL) this.#refuse(size);
    return ref;
  }

  /** Collects the nursery. @param pinned - See `Evacuation.run`. */
  minor(pinned = 0): Address {
    return this.#pause('minor', () => {
      const moved = this.young.collect(pinned);
      // A marking has the survivors' references already; it need not follow them to another nursery.
      if (this.cycle.phase !== 'marking') this.young.resize();
      return moved;
    });
  }

  /**
   * What is to be done when there is occasion: starts a marking when it is time, or goes on with what is under way. Within a collection.
   *
   * @param start - When the pause began that this is a part of: what is left of the target is used, and a quarter of it at least, or a marking might never end.
   */
  work(start: number): void {
    if (this.#parts.nursery.isDegraded) return;
    const { incremental, pauseTargetMs, clock } = this.#settings;
    if (this.cycle.phase === 'idle' && this.cycle.bytes >= this.cycle.threshold) {
      if (incremental) this.start();
      else this.full();
    }
    if (this.cycle.phase !== 'idle') this.step(Math.max(pauseTargetMs / 4, pauseTargetMs - (clock() - start)));
  }

  /** Starts a marking, if none is under way. */
  start(): void {
    // At once, because the marking knows of nothing that is allocated after its minor collection.
    this.#closed(() => {
      if (this.cycle.phase === 'sweeping') this.#pause('sweep', () => this.cycle.sweepAll());
      if (this.cycle.phase !== 'idle') return;
      this.minor();
      if (this.#parts.nursery.isDegraded) this.full();
      else this.#pause('mark', () => this.cycle.begin('incremental'));
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
    const { cycle } = this;
    const { clock } = this.#settings;
    return this.#closed(() => {
      const deadline = clock() + budgetMs;
      // At least a little is done each time, so that whoever calls again and again comes to an end.
      if (cycle.phase === 'marking') this.#pause('mark', () => cycle.mark(deadline, quantum));
      else if (cycle.phase === 'sweeping') this.#pause('sweep', () => cycle.sweep(deadline));
      else return true;
      if (this.#isSweeping() && clock() < deadline) this.#pause('sweep', () => cycle.sweep(deadline));
      const isDone = this.cycle.phase === 'idle';
      if (isDone && this.#settings.compaction) this.#compactIfSparse();
      return isDone;
    });
  }

  /** Collects everything in one pause. What is dead afterwards was not when this began. */
  full(): void {
    this.#closed(() => {
      this.#collectAll();
      if (this.#settings.compaction) this.#compactIfSparse();
    });
  }

  /** Collects everything, and closes the gaps in the old space. */
  compact(): void {
    this.#closed(() => {
      this.#collectAll();
      this.#pause('compact', () => this.#compactNow());
    });
  }

  /** Runs the finalizers that are due. @returns How many. */
  runFinalizers(): number {
    this.checkIdle();
    const { finalizers } = this.#parts.roots;
    const { due } = finalizers;
    finalizers.due = [];
    const errors: unknown[] = [];
    this.occupy('finalizers', () => {
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
  #isSweeping(): boolean {
    return this.cycle.phase === 'sweeping';
  }

  #refuse(size: number): never {
    const { limit, takenBytes } = this.#core;
    throw new AllocatorError('out-of-memory', `no room for ${size} bytes: ${takenBytes} of ${limit} bytes are taken, and everything in them is reachable`);
  }

  /** Room after a collection, unless the scheduler of finalizers made an end of the heap. */
  #bumpAgain(cellSize: number): Address {
    this.checkIdle();
    return this.#parts.nursery.bump(cellSize);
  }

  #collectAll(): void {
    this.#pause('full', () => {
      const { cycle, young } = this;
      if (cycle.phase === 'marking') cycle.mark(Infinity);
      cycle.sweepAll();
      cycle.begin('whole');
      cycle.mark(Infinity);
      young.collect();
      cycle.sweepAll();
      // What found no room may find some now: what is dead was still in the way.
      if (this.#parts.nursery.isDegraded) young.collect();
      young.resize();
    });
  }

  /** A pause of some kind, counted. One within another is a part of it. */
  #pause<T>(kind: keyof Pauses, action: () => T): T {
    if (this.#isPausing) return action();
    return this.#closed(() => {
      const { clock } = this.#settings;
      const start = clock();
      this.#isPausing = true;
      const result = action();
      this.#isPausing = false;
      this.pauses[kind].record(clock() - start);
      return result;
    });
  }

  /**
   * A collection, or several that nothing must come between: with the doors closed to the clock, which is somebody else's code. Finalizers are scheduled when
   * all is done.
   */
  #closed<T>(action: () => T): T {
    if (this.#core.occupation === 'collection') return action();
    const result = this.occupy('collection', action);
    this.#planFinalizers();
    return result;
  }

  /** Does something during which the heap takes no orders. A collection that fails leaves a heap that nobody can trust. */
  occupy<T>(occupation: 'collection' | 'finalizers' | 'image', action: () => T): T {
    const { nursery } = this.#parts;
    this.checkIdle();
    this.#core.occupation = occupation;
    nursery.close();
    let isSound = occupation !== 'collection';
    try {
      const result = action();
      isSound = true;
      return result;
    } finally {
      this.#core.occupation = isSound ? '' : 'broken';
      if (isSound) {
        this.#core.renew();
        nursery.open(this.#settings.stress?.everyBytes);
      }
    }
  }

  #planFinalizers(): void {
    const { scheduleFinalizers } = this.#settings;
    if (scheduleFinalizers === undefined || this.#isFinalizingPlanned || this.#parts.roots.finalizers.due.length === 0) return;
    this.#isFinalizingPlanned = true;
    try {
      scheduleFinalizers(() => {
        this.#isFinalizingPlanned = false;
        if (this.#core.occupation !== 'released') this.runFinalizers();
      });
    } catch (error) {
      this.#isFinalizingPlanned = false;
      throw error;
    }
  }

  #compactIfSparse(): void {
    const { old } = this.#parts;
    if (old.capacity - old.usedBytes < old.capacity / 3) return;
    this.#pause('compact', () => this.#compactNow());
  }

  /** With an empty eden: what is dead in it would have to be kept in order too. */
  #compactNow(): void {
    const { nursery } = this.#parts;
    if (nursery.edenBytes > 0) this.young.collect();
    if (!nursery.isDegraded) compact(this.#parts);
  }

  #stress(): void {
    const { stress } = this.#settings;
    switch (stress?.action) {
      case 'minor':
        this.minor();
        break;
      case 'step':
        if (this.cycle.phase === 'idle') this.start();
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
