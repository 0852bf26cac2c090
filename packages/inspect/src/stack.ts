/** Call stacks: taken cheaply, and read. */

/** A call in a stack. */
export interface Frame {
  /** The function's name as the engine has it; `(anonymous)` where it has none. */
  readonly functionName: string;
  /** The file or URL; empty for what is in none. */
  readonly file: string;
  /** The line, from 1; 0 where there is none. */
  readonly line: number;
  /** The column, from 1; 0 where there is none. */
  readonly column: number;
}

/** V8's own, which other engines have taken over. */
const engine = Error as {
  stackTraceLimit?: number;
  captureStackTrace?: (target: { stack?: string }, above: unknown) => void;
};

/** Generated functions are part of the allocator, and nobody looks for a leak in how Node.js starts a program. */
const LEFT_OUT = /\ballokit-compiled-\d+\.js\b|\bnode:internal\//;

/** A stack that was taken: the text is made when it is first read, which takes ten times as long as the taking. */
export interface CapturedStack {
  /** As the engine words it, or whatever the program's own `Error.prepareStackTrace` makes of it. */
  readonly stack?: unknown;
}

/**
 * Takes the calling stack, the caller first. One to three microseconds. Until it is read it keeps alive what its functions were called on.
 *
 * @param depth - Frames at the most.
 * @param method - The function above which it starts: neither it nor what it called is part of it.
 */
export function captureStack(depth: number, method: unknown): CapturedStack {
  const limit = engine.stackTraceLimit;
  // One more for a generated function, which is left out.
  engine.stackTraceLimit = depth + 1;
  const captured = engine.captureStackTrace === undefined ? new Error() : {};
  engine.captureStackTrace?.(captured, method);
  if (limit === undefined) delete engine.stackTraceLimit;
  else engine.stackTraceLimit = limit;
  return captured;
}

/** The frames of a stack as lines, without what the engine puts in front, what belongs to the allocator, and what is Node.js itself. */
export function stackLines(captured: CapturedStack, depth: number): string[] {
  const lines = textOf(captured).split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && /^at |@/.test(line) && !LEFT_OUT.test(line)).slice(0, depth);
}

/** The text of a stack; call sites, which some programs want instead, say the same of themselves. */
function textOf(captured: CapturedStack): string {
  try {
    const { stack } = captured;
    if (Array.isArray(stack)) return stack.map((site) => `at ${String(site)}`).join('\n');
    return typeof stack === 'string' ? stack : '';
  } catch {
    // What the program put in the engine's place throws.
    return '';
  }
}

/**
 * Reads a stack: a frame a line, as V8, SpiderMonkey and JavaScriptCore word it. What is no frame is a function of that name.
 *
 * @param stack - As `AllocationSite.stack` and `Leak.stack` have it.
 */
export function parseStack(stack: string): Frame[] {
  return stack.split('\n').filter((line) => line.trim() !== '').map(parseFrame);
}

/** A name has no ` (` in it, which a path may have. */
function parseFrame(text: string): Frame {
  const line = text.trim();
  const [, name, place = ''] = /^at (?:(.*?) \((.*)\)|(.*))$/.exec(line) ?? [];
  if (line.startsWith('at ')) return frameOf(name ?? '', name === undefined ? line.slice(3) : place);
  const at = line.lastIndexOf('@');
  return at < 0 ? frameOf(line, '') : frameOf(line.slice(0, at), line.slice(at + 1));
}

function frameOf(functionName: string, place: string): Frame {
  const [, file = place, line = '0', column = '0'] = /^(.*?):(\d+)(?::(\d+))?$/.exec(place.replace(/^async /, '')) ?? [];
  return { functionName: functionName.replace(/^(async|new) /, '') || '(anonymous)', file, line: Number(line), column: Number(column) };
}
