/** The typed arrays behind observed ones: `Atomics` and the methods of typed arrays want the array itself. */

/** From a proxy to what it stands for. */
export const targets = new WeakMap<object, object>();

/** The typed array behind an observed one; any other as it is. O(1). */
export function unobserved<T extends object>(value: T): T {
  return (targets.get(value) as T | undefined) ?? value;
}
