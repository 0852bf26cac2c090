/** Lets so many go at once, and the others in the order they came. */

/** One's turn. */
export interface Turn {
  /** Resolves when it has come. */
  readonly ready: Promise<true>;
  /** Lets the next one go, or leaves the queue. To be called once or more often. */
  release(): void;
}

/** A queue before a limited number of places. */
export class Turns {
  readonly #limit: number;
  readonly #queue = new Set<() => void>();
  #activeCount = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many have their turn. */
  get activeCount(): number {
    return this.#activeCount;
  }

  /** How many wait for it. */
  get waitingCount(): number {
    return this.#queue.size;
  }

  /** Takes a place, or waits for one. O(1). */
  take(): Turn {
    const { promise: ready, resolve } = Promise.withResolvers<true>();
    const start = (): void => resolve(true);
    let isDone = false;
    if (this.#activeCount < this.#limit) {
      this.#activeCount += 1;
      start();
    } else this.#queue.add(start);
    return {
      ready,
      release: () => {
        if (isDone) return;
        isDone = true;
        if (!this.#queue.delete(start)) this.#next();
      },
    };
  }

  #next(): void {
    const { value: start } = this.#queue.values().next();
    if (start === undefined) {
      this.#activeCount -= 1;
      return;
    }
    this.#queue.delete(start);
    start();
  }
}
