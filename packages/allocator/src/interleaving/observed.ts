/**
 * Plain reads and writes as scheduling points: typed arrays behind proxies, and memories whose views are such arrays.
 *
 * A data race shows only where a thread can be interrupted between two plain accesses, and only an observed store can be the last one of a thread that dies.
 */

import { announce } from './hooks.ts';
import { KIND } from './operation.ts';
import { targets, unobserved } from './unobserved.ts';

/** What can be observed: a typed array, or an object whose properties are typed arrays. */
type Indexed = ArrayBufferView & { readonly BYTES_PER_ELEMENT: number };

/** From an object to its proxy, so that it has one only. */
const proxies = new WeakMap<object, object>();

/** The index that a property name is, -1 for any other name. */
function indexOf(key: string | symbol): number {
  if (typeof key !== 'string') return -1;
  const code = key.charCodeAt(0);
  // A cheap look first: names of methods begin with letters.
  if (!(code >= 48 && code <= 57)) return -1;
  const index = Number(key);
  return Number.isInteger(index) ? index : -1;
}

function toNumber(value: unknown): number {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : 0;
}

const VIEW_TRAPS: ProxyHandler<Indexed> = {
  get(target, key) {
    const index = indexOf(key);
    if (index >= 0) {
      const offset = index * target.BYTES_PER_ELEMENT;
      const thread = announce(KIND.read, target, offset, 0);
      const value: unknown = Reflect.get(target, key, target);
      thread?.record(KIND.read, target.byteOffset + offset, 0, 0, toNumber(value));
      return value;
    }
    const value: unknown = Reflect.get(target, key, target);
    if (typeof value !== 'function' || key === 'constructor') return value;
    // A method works on the array itself, as one step.
    return (...args: unknown[]): unknown => {
      const thread = announce(KIND.call, target, 0, 0);
      const result: unknown = Reflect.apply(value, target, args.map((arg) => (typeof arg === 'object' && arg !== null ? unobserved(arg) : arg)));
      thread?.done(true);
      thread?.record(KIND.call, target.byteOffset, 0, 0, 0);
      return ArrayBuffer.isView(result) && result.buffer === target.buffer ? observedView(result) : result;
    };
  },
  set(target, key, value) {
    const index = indexOf(key);
    if (index < 0) return Reflect.set(target, key, value, target);
    const offset = index * target.BYTES_PER_ELEMENT;
    const thread = announce(KIND.write, target, offset, toNumber(value));
    const before: unknown = Reflect.get(target, key, target);
    const isSet = Reflect.set(target, key, value, target);
    thread?.done(!Object.is(before, Reflect.get(target, key, target)));
    thread?.record(KIND.write, target.byteOffset + offset, toNumber(value), 0, 0);
    return isSet;
  },
};

/** The proxy of an object, made when it is first asked for. */
function proxyOf<T extends object>(value: T, traps: ProxyHandler<T>): T {
  const known = proxies.get(value);
  if (known !== undefined) return known as T;
  const proxy = new Proxy(value, traps);
  proxies.set(value, proxy);
  targets.set(proxy, value);
  return proxy;
}

/** The proxy of a typed array. */
function observedView(view: ArrayBufferView): object {
  return proxyOf(view as Indexed, VIEW_TRAPS);
}

const OBJECT_TRAPS: ProxyHandler<object> = {
  get(target, key) {
    const value: unknown = Reflect.get(target, key, target);
    if (ArrayBuffer.isView(value)) return observed(value);
    if (value === target) return proxies.get(target);
    if (typeof value !== 'function') return value;
    return (...args: unknown[]): unknown => {
      const result: unknown = Reflect.apply(value, target, args);
      return result === target ? proxies.get(target) : result;
    };
  },
};

/**
 * Makes plain reads and writes scheduling points: of a typed array, or of the typed arrays that an object has as properties, such as a `Memory`.
 *
 * What it returns behaves as the original. `Atomics` takes observed arrays while a scenario runs. A method, such as `fill` or `set`, is one step, and so are
 * the accesses of whoever takes the `buffer` and makes a view of their own: none. Slower by a factor of a hundred; give each thread its own.
 *
 * @param value - A typed array over the memory of the scenario, or an object that has such.
 * @throws TypeError for a `DataView`, which is accessed by methods only.
 */
export function observed<T extends object>(value: T): T {
  if (targets.has(value)) return value;
  if (!ArrayBuffer.isView(value)) return proxyOf<object>(value, OBJECT_TRAPS) as T;
  if (value instanceof DataView) throw new TypeError('a typed array can be observed, a DataView cannot');
  return observedView(value) as T;
}
