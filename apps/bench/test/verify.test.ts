import { describe, expect, test } from 'vitest';

import { randomSource } from '../src/random.ts';
import { TraceBuilder } from '../src/trace/builder.ts';
import { bytesOf, fillPattern, findDamage } from '../src/trace/pattern.ts';
import { KIND, type Trace } from '../src/trace/trace.ts';
import { verifyTrace } from '../src/verify.ts';
import { firstFitInstance } from './first-fit.ts';

/** Mallocs, callocs, reallocs and frees of up to 600 bytes, at random. */
function randomTrace(seed: number, operationCount = 3000): Trace {
  const random = randomSource(seed);
  const builder = new TraceBuilder();
  const live = new Set<number>();
  for (let i = 0; i < operationCount; i += 1) {
    const slot = random() % 64;
    if (!live.has(slot)) builder.allocate(slot, random() % 600, random() % 4 === 0 ? KIND.calloc : KIND.malloc);
    else if (random() % 3 === 0) builder.reallocate(slot, 1 + (random() % 600));
    else builder.free(slot);
    if (builder.isLive(slot)) live.add(slot);
    else live.delete(slot);
  }
  return builder.finish('random');
}

describe('the pattern', () => {
  test.each([0, 1, 2, 3])('shows any changed byte, %i bytes off a word', (shift) => {
    const bytes = bytesOf(new Uint8Array(64));
    fillPattern(bytes, 8 + shift, 23, 0x1234_5678);
    expect(findDamage(bytes, 8 + shift, 23, 0x1234_5678)).toBe(-1);
    for (let offset = 0; offset < 23; offset += 1) {
      bytes.u8[8 + shift + offset]! ^= 1;
      expect(findDamage(bytes, 8 + shift, 23, 0x1234_5678)).toBe(offset);
      bytes.u8[8 + shift + offset]! ^= 1;
    }
    expect(bytes.u8[7 + shift]).toBe(0);
    expect(bytes.u8[8 + shift + 23]).toBe(0);
  });

  test('is the same wherever it lies', () => {
    const bytes = bytesOf(new Uint8Array(64));
    fillPattern(bytes, 8, 21, -5);
    bytes.u8.copyWithin(33, 8, 29);
    expect(findDamage(bytes, 33, 21, -5)).toBe(-1);
  });
});

describe('verifying', () => {
  test('passes a heap that is right, and knows its footprint', () => {
    const trace = randomTrace(1);
    const verdict = verifyTrace(firstFitInstance(), trace);
    expect(verdict).toMatchObject({ verified: true, failureCount: 0 });
    expect(verdict.footprint).toBeGreaterThanOrEqual(trace.peakLiveBytes);
    expect(verdict.footprint).toBeLessThan(4 * trace.peakLiveBytes);
  });

  test('finds blocks that overlap', () => {
    const verdict = verifyTrace(firstFitInstance({ overlapEvery: 100 }), randomTrace(2));
    expect(verdict.verified).toBe(false);
    expect(verdict.reason).toMatch(/operation \d+: byte \d+ of the \d+ in slot \d+ at address \d+ was changed by another hand/);
  });

  test('finds contents that a reallocation lost', () => {
    const verdict = verifyTrace(firstFitInstance({ losesContents: true }), randomTrace(3));
    expect(verdict.verified).toBe(false);
    expect(verdict.reason).toMatch(/seen after it was reallocated/);
  });

  test('counts what was refused', () => {
    const verdict = verifyTrace(firstFitInstance({ sizeMax: 300 }), randomTrace(4));
    expect(verdict.verified).toBe(false);
    expect(verdict.failureCount).toBeGreaterThan(100);
    expect(verdict.reason).toMatch(/^\d+ bytes were refused$/);
  });

  test('names the operation that threw', () => {
    const verdict = verifyTrace(firstFitInstance({ throwsOnFree: 'no way back' }), randomTrace(5));
    expect(verdict).toMatchObject({ verified: false, reason: expect.stringMatching(/^operation \d+: no way back$/) as string });
  });

  test('asks for the alignment that a trace asks for', () => {
    const builder = new TraceBuilder();
    for (let slot = 0; slot < 8; slot += 1) builder.allocate(slot, 16, KIND.malloc | (8 << 8));
    const verdict = verifyTrace(firstFitInstance(), builder.finish('aligned'));
    expect(verdict).toMatchObject({ verified: false, failureCount: 8, reason: 'address 16 is not aligned to 256' });
  });

  test('takes a malloc of 0 bytes for no failure, and its free for nothing', () => {
    const builder = new TraceBuilder();
    builder.allocate(0, 0);
    builder.reallocate(0, 20);
    builder.reallocate(0, 30);
    builder.free(0);
    builder.allocate(0, 0);
    builder.free(0);
    expect(verifyTrace(firstFitInstance(), builder.finish('nothing'))).toMatchObject({ verified: true, failureCount: 0 });
  });

  test('tells how far it is', () => {
    const shares: number[] = [];
    verifyTrace(firstFitInstance(), randomTrace(6, 10_000), (share) => shares.push(share));
    expect(shares).toEqual([0.4096, 0.8192, 1]);
  });
});
