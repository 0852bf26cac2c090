import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { TraceBuilder } from '../src/trace/builder.ts';
import { readTrace, writeTrace } from '../src/trace/file.ts';
import { encodeTrace, KIND, parseTrace, TraceError, type Trace } from '../src/trace/trace.ts';

/** A trace of every kind of operation; the last block is left behind. */
function sample(): Trace {
  const builder = new TraceBuilder();
  builder.allocate(0, 100);
  builder.allocate(1, 0);
  builder.allocate(2, 64, KIND.calloc);
  builder.reallocate(0, 300);
  builder.free(1);
  builder.allocate(1, 32, KIND.malloc | (6 << 8));
  builder.free(0);
  builder.free(2);
  return builder.finish('sample');
}

/** A file with the given header fields and operations, however wrong. */
function file(slotCount: number, operations: readonly (readonly [number, number, number])[], operationCount = operations.length): Uint8Array {
  const words = Uint32Array.from(operations.flat());
  return encodeTrace({ name: '', slotCount, operationCount, peakLiveBytes: 0, words });
}

const MALLOC = [KIND.malloc, 0, 8] as const;
const FREE = [KIND.free, 0, 0] as const;

describe('a trace', () => {
  test('comes back as it was written', () => {
    const trace = sample();
    expect(parseTrace(encodeTrace(trace), 'sample')).toEqual(trace);
  });

  test('knows its peak of live bytes', () => {
    expect(sample().peakLiveBytes).toBe(300 + 64 + 32);
  });

  test('may be empty', () => {
    expect(parseTrace(file(0, []), 'empty')).toMatchObject({ slotCount: 0, operationCount: 0, peakLiveBytes: 0 });
  });

  test('need not start on a word of the buffer it is read from', () => {
    const encoded = encodeTrace(sample());
    const shifted = new Uint8Array(encoded.length + 1);
    shifted.set(encoded, 1);
    expect(parseTrace(shifted.subarray(1), 'sample')).toEqual(sample());
  });

  test.each([
    ['nothing', new Uint8Array(0), /0 bytes are too few/],
    ['another magic', new TextEncoder().encode('ALTRACE2'.padEnd(24, '\0')), /starts with "ALTRACE2" instead of "ALTRACE1"/],
    ['too few operations', encodeTrace(sample()).subarray(0, -5), /truncated: the header promises 8 operations, 7 are there/],
    ['a count that nothing follows', file(1, [], 3), /promises 3 operations, 0 are there/],
    ['bytes behind the end', new Uint8Array([...file(1, [MALLOC]), 0]), /1 bytes follow the 1 operations/],
    ['an unknown kind', file(1, [[4, 0, 8]]), /operation 0 has the unknown kind 4/],
    ['an alignment beyond 2^30', file(1, [[31 << 8, 0, 8]]), /alignment 2\^31/],
    ['a slot that is not there', file(1, [[KIND.malloc, 1, 8]]), /operation 0 uses slot 1 of 1/],
    ['more slots than operations', file(2, [MALLOC]), /2 slots are more/],
    ['a free of nothing', file(1, [FREE]), /operation 0 frees slot 0, which holds no block/],
    ['a double free', file(1, [MALLOC, FREE, FREE]), /operation 2 frees slot 0, which holds no block/],
    ['a realloc of nothing', file(1, [[KIND.realloc, 0, 8]]), /operation 0 reallocates slot 0/],
    ['a malloc over a live block', file(1, [MALLOC, MALLOC]), /operation 1 allocates into slot 0, which holds a block/],
  ])('is refused with %s', (_, bytes, message) => {
    expect(() => parseTrace(bytes, 'bad')).toThrow(TraceError);
    expect(() => parseTrace(bytes, 'bad')).toThrow(message);
  });

  test('that cannot be is not built either', () => {
    const builder = new TraceBuilder();
    builder.allocate(0, 8);
    expect(() => {
      builder.allocate(0, 8);
    }).toThrow(/holds a block/);
    expect(() => {
      builder.free(1);
    }).toThrow(/holds no block/);
  });
});

describe('a trace file', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'allokit-bench-test-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each(['sample.altrace', 'sample.altrace.gz'])('%s comes back as it was written', async (name) => {
    await writeTrace(join(folder, name), sample());
    expect(await readTrace(join(folder, name))).toEqual(sample());
  });

  test('that is not there is named', async () => {
    await expect(readTrace(join(folder, 'none.altrace'))).rejects.toThrow(/none\.altrace: no such file/);
  });

  test('with damaged gzip data is named', async () => {
    const path = join(folder, 'damaged.altrace.gz');
    const compressed = gzipSync(encodeTrace(sample()));
    compressed[20]! ^= 0xff;
    await writeFile(path, compressed);
    await expect(readTrace(path)).rejects.toThrow(/damaged\.altrace\.gz: the gzip data is damaged or truncated/);
  });

  test('that was cut off is named', async () => {
    const path = join(folder, 'cut.altrace.gz');
    await writeFile(path, gzipSync(encodeTrace(sample())).subarray(0, -12));
    await expect(readTrace(path)).rejects.toThrow(TraceError);
  });
});
