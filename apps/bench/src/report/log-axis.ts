/** Where a logarithmic axis begins and ends, and what is written along it: few round numbers. */

export interface LogAxis {
  readonly domain: readonly [number, number];
  readonly ticks: readonly number[];
}

/** Factors of ten from which on powers of ten alone are written. */
const MANY_DECADES = 3;

/** An axis in which `min` to `max` lie, both above 0: from one round number to another. */
export function decimalAxis(min: number, max: number): LogAxis {
  const first = Math.floor(Math.log10(min));
  const last = Math.ceil(Math.log10(max));
  const round = Array.from({ length: last - first + 1 }, (_, i) => [1, 2, 5].map((factor) => factorOf(factor, first + i))).flat();
  const start = round.findLast((value) => value <= min)!;
  const end = round.find((value) => value >= max && value > start)!;
  const within = round.filter((value) => value >= start && value <= end);
  const powers = within.filter((value) => Number.isInteger(roundedLog10(value)));
  return { domain: [start, end], ticks: Math.log10(end / start) > MANY_DECADES ? powers : within };
}

/** An axis of bytes from exactly `min` to exactly `max`: every second power of two is written. */
export function binaryAxis(min: number, max: number): LogAxis {
  const first = Math.ceil(Math.log2(min) / 2);
  const last = Math.floor(Math.log2(max) / 2);
  return { domain: [min, max], ticks: Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => 4 ** (first + i)) };
}

/** Read rather than multiplied, because 2 * 1e-5 is not the number nearest to 0.00002. */
function factorOf(factor: number, exponent: number): number {
  return Number(`${factor}e${exponent}`);
}

function roundedLog10(value: number): number {
  return Number(Math.log10(value).toFixed(9));
}
