/** The few assertions the suite needs, so that it depends on no test runner. */

/** What the suite throws when an allocator breaks its contract; runners show its message. */
export class ConformanceError extends Error {
  /** `ConformanceError`, for classes derived from it too. */
  override readonly name = 'ConformanceError';
}

/** Throws a {@link ConformanceError}. Loops call it behind a condition of their own, so that the message is built only when it is needed. */
export function fail(message: string): never {
  throw new ConformanceError(message);
}

/**
 * Requires `condition`.
 *
 * @param message - What was expected, as a sentence without a full stop.
 * @throws ConformanceError
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) fail(message);
}

/**
 * Requires `actual` to be the same value as `expected`, in the sense of `Object.is`.
 *
 * @param what - What the value is, for the message.
 * @throws ConformanceError
 */
export function assertSame(actual: unknown, expected: unknown, what: string): void {
  if (!Object.is(actual, expected)) fail(`${what}: expected ${show(expected)}, got ${show(actual)}`);
}

/** A value as it stands in the suite's messages: strings quoted, big integers marked, what cannot be converted by its type. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${String(value)}n`;
  try {
    return String(value);
  } catch {
    return typeof value;
  }
}

/** The error that `call` throws, or `undefined` when it returns. */
export function errorOf(call: () => unknown): Error | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new ConformanceError(`something that is no Error was thrown: ${show(error)}`);
  }
}
