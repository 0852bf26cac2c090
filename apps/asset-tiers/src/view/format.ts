/** Numbers, as the page writes them. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB'];

/** Bytes with three significant digits, such as `4.25 MiB`. */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]!}`;
}

/** A count, with thousands apart. */
export function formatCount(count: number): string {
  return count.toLocaleString('en');
}

/** A part of a whole, in percent. */
export function formatPart(part: number): string {
  return `${(part * 100).toFixed(part > 0 && part < 0.1 ? 1 : 0)} %`;
}

/** One thing, or several: `1 block`, `2 blocks`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
