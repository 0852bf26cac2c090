/** Numbers, as the pages write them. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB'];

/** Bytes with three significant digits, such as `4.25 KiB`. */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = Number.isInteger(value) || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]!}`;
}

/** An address, as programmers write it. */
export function formatHex(address: number): string {
  return `0x${address.toString(16)}`;
}
