/** The functions of `Atomics` as they were before the hooks replaced them: loaded first, and used by all that must not be a scheduling point. */

/** Functions of `Atomics` that are not hooked. */
export const real = {
  load: Atomics.load,
  store: Atomics.store,
  add: Atomics.add,
  sub: Atomics.sub,
  and: Atomics.and,
  or: Atomics.or,
  xor: Atomics.xor,
  exchange: Atomics.exchange,
  compareExchange: Atomics.compareExchange,
  wait: Atomics.wait,
  notify: Atomics.notify,
};
