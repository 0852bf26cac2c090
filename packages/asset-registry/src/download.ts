/** A load from its first request to the last: turns, repetitions, and the time it may take. */

import { AssetError } from './asset-error.ts';
import { retryDelay, type RetryPlan } from './retry.ts';
import { Transfer, type Carrier, type Order, type Outcome } from './transfer.ts';
import type { Turns } from './turns.ts';

/** What all downloads of a registry have in common. */
export interface Dispatcher {
  readonly carrier: Carrier;
  readonly turns: Turns;
  readonly retryPlan: RetryPlan;
  /** Milliseconds from the first request on. */
  readonly timeout: number;
  readonly counts: { retryCount: number };
}

/** As many transfers as it takes. */
export class Download {
  readonly #order: Order;
  readonly #dispatcher: Dispatcher;
  /** Rejects when somebody ends it, with the error that is kept, too. */
  readonly #ended = Promise.withResolvers<never>();
  #error: AssetError | undefined;
  #transfer: Transfer | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(order: Order, dispatcher: Dispatcher) {
    this.#order = order;
    this.#dispatcher = dispatcher;
    this.#ended.promise.catch(() => undefined);
  }

  /** Ends it with an error, and gives its memory back, at once. Nothing, if it is over. */
  end(error: AssetError): void {
    this.#error ??= error;
    this.#ended.reject(error);
    this.#transfer?.fail(error);
  }

  /** Loads. Rejects with the error of the last attempt. */
  async run(): Promise<Outcome> {
    try {
      for (let attempt = 0; ; attempt += 1) {
        try {
          return await this.#attempt();
        } catch (error) {
          const delay = retryDelay(error, attempt, this.#dispatcher.retryPlan);
          if (delay === undefined) throw error;
          await this.#pause(delay);
          this.#dispatcher.counts.retryCount += 1;
        }
      }
    } finally {
      clearTimeout(this.#deadline);
    }
  }

  async #attempt(): Promise<Outcome> {
    const { turns, carrier } = this.#dispatcher;
    const turn = turns.take();
    try {
      await Promise.race([turn.ready, this.#ended.promise]);
      // Both may have happened, and the race goes to the turn.
      if (this.#error !== undefined) throw this.#error;
      this.#startClock();
      this.#transfer = new Transfer(this.#order, carrier);
      return await this.#transfer.run();
    } finally {
      turn.release();
    }
  }

  /** The time spent in the queue before the first request does not count: it says nothing of the server. */
  #startClock(): void {
    const { timeout } = this.#dispatcher;
    if (timeout === Infinity) return;
    this.#deadline ??= setTimeout(
      () => this.end(new AssetError('timeout', `${JSON.stringify(this.#order.key)} took longer than ${timeout} ms: ${this.#order.url}`)),
      timeout,
    );
  }

  async #pause(milliseconds: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      await Promise.race([new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds))), this.#ended.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
}
