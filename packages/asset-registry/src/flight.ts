/** One load that any number of callers wait for. Each may leave; when nobody is left, it ends. */

import { AssetError } from './asset-error.ts';
import type { LoadOptions, LoadProgress } from './options.ts';

/** What a flight needs to know of a load. */
export type Passage = Pick<LoadOptions, 'signal' | 'onProgress'>;

interface Passenger<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress: ((progress: LoadProgress) => void) | undefined;
}

/** A load, shared. */
export class Flight<T> {
  readonly #key: string;
  readonly #passengers = new Set<Passenger<T>>();
  #onDeserted: () => void = () => undefined;

  constructor(key: string) {
    this.#key = key;
  }

  /**
   * Starts it.
   *
   * @param work - What there is to wait for.
   * @param onDeserted - Is called when the last one leaves.
   */
  start(work: Promise<T>, onDeserted: () => void): void {
    this.#onDeserted = onDeserted;
    work.then(
      (value) => this.#settle(({ resolve }) => resolve(value)),
      (error: unknown) => this.#settle(({ reject }) => reject(error)),
    );
  }

  /** Waits for it, as long as the signal allows. */
  join({ signal, onProgress }: Passage): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const leave = (): void => {
      if (signal !== undefined) this.#leave(passenger, aborted(this.#key, signal));
    };
    const forget = (): void => signal?.removeEventListener('abort', leave);
    const passenger: Passenger<T> = {
      resolve: (value) => {
        forget();
        resolve(value);
      },
      reject: (error) => {
        forget();
        reject(error);
      },
      onProgress,
    };
    signal?.addEventListener('abort', leave);
    this.#passengers.add(passenger);
    return promise;
  }

  /** Tells everybody how far it has come. Whose callback throws, leaves with that error. */
  report(loadedBytes: number, totalBytes: number | undefined): void {
    for (const passenger of this.#passengers) {
      try {
        passenger.onProgress?.({ key: this.#key, loadedBytes, totalBytes });
      } catch (error) {
        this.#leave(passenger, error);
      }
    }
  }

  #leave(passenger: Passenger<T>, error: unknown): void {
    if (!this.#passengers.delete(passenger)) return;
    passenger.reject(error);
    if (this.#passengers.size === 0) this.#onDeserted();
  }

  #settle(tell: (passenger: Passenger<T>) => void): void {
    const passengers = [...this.#passengers];
    this.#passengers.clear();
    passengers.forEach(tell);
  }
}

/** What a load becomes whose signal says stop. */
export function aborted(key: string, { reason }: AbortSignal): AssetError {
  return new AssetError('aborted', `the load of ${JSON.stringify(key)} was aborted`, { cause: reason });
}
