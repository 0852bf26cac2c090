/** Numbers in tables: grouped, with as many digits as asked for, and a dash where there is none. */
export function formatNumber(value: number | undefined, digits: number): string {
  return value === undefined ? '-' : value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
