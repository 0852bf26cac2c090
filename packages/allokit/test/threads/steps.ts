/** Counts the atomic operations of this thread. */

let stepCount = 0;

for (const name of ['load', 'store', 'add', 'sub', 'and', 'or', 'xor', 'exchange', 'compareExchange', 'wait', 'notify'] as const) {
  const operation = Reflect.get(Atomics, name) as (...values: unknown[]) => unknown;
  const counted = (...values: unknown[]): unknown => {
    stepCount += 1;
    return operation(...values);
  };
  Object.defineProperty(Atomics, name, { value: counted, writable: true, configurable: true });
}

/** How many a call takes. */
export function stepsOf(call: () => void): number {
  const before = stepCount;
  call();
  return stepCount - before;
}
