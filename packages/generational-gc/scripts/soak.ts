/**
 * Ten minutes of random work in one heap, compared with JavaScript objects; fails when the footprint grows. `node --conditions=source scripts/soak.ts [seconds]
 * [seed]`
 */

import { soak, type SoakSample } from '../test/soak-program.ts';

const seconds = Number(process.argv[2] ?? 600);
const seed = Number(process.argv[3] ?? 1);
const samples: SoakSample[] = [];
console.log(`${seconds} s, seed ${seed}`);
await soak(seconds, seed, (sample) => {
  samples.push(sample);
  const { second, takenBytes, takenBytesMax, memoryBytes, handleCount, objectCount } = sample;
  console.log(`${second.toFixed(0).padStart(5)} s: ${takenBytes} bytes taken, ${takenBytesMax} at the most, memory ${memoryBytes}, ${objectCount} objects, ${handleCount} handles`);
});
// The first half is for finding the size that the work needs.
const half = Math.ceil(samples.length / 2);
const mean = (list: readonly SoakSample[]): number => list.reduce((sum, { takenBytes }) => sum + takenBytes, 0) / list.length;
const [early, late] = [mean(samples.slice(0, half)), mean(samples.slice(-half))];
const isFlat = late <= early * 1.25 && samples.at(-1)!.memoryBytes <= samples[half - 1]!.memoryBytes * 1.25 && samples.every(({ handleCount }) => handleCount < 100);
console.log(`${isFlat ? 'flat' : 'NOT FLAT'}: ${early.toFixed(0)} bytes taken at first, ${late.toFixed(0)} in the end, typically`);
if (!isFlat) process.exitCode = 1;
