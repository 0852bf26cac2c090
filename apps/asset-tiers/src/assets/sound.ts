/** A plucked string, as samples: a burst of noise that runs round a loop and is averaged on its way. */

import { hash } from './noise.ts';

/** Samples a second. */
export const SAMPLE_RATE = 8000;

/** A second and a half of sound, in -1..1. */
export function makeSound(frequency: number, seed: number): Float32Array<ArrayBuffer> {
  const samples = new Float32Array(SAMPLE_RATE * 1.5);
  const period = Math.round(SAMPLE_RATE / frequency);
  for (let i = 0; i < samples.length; i += 1) {
    samples[i] = i < period ? hash(i, 0, seed) * 2 - 1 : 0.4985 * (samples[i - period]! + (samples[i - period - 1] ?? 0));
  }
  return samples;
}
