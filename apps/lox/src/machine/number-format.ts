/** How numbers are printed: as C's `printf` prints them with `%g`. */

/** Significant digits. */
const DIGITS = 6;
/** Smaller exponents are written as such. */
const EXPONENT_MIN = -4;
/** Digits enough to tell whether a number lies exactly between two that can be printed. */
const DIGITS_FOR_TIES = 40;

/** A number with six significant digits, without trailing zeros; with an exponent where it is very large or small. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa = '', exponentText = ''] = rounded(value).split('e');
  const exponent = Number(exponentText);
  if (exponent >= EXPONENT_MIN && exponent < DIGITS) return withoutZeros(Number(`${mantissa}e${exponent}`).toFixed(DIGITS - 1 - exponent));
  const magnitude = Math.abs(exponent).toString().padStart(2, '0');
  return `${withoutZeros(mantissa)}e${exponent < 0 ? '-' : '+'}${magnitude}`;
}

/** With an exponent, rounded to the nearest; between two, as C does, to the even one, and not away from zero as JavaScript does. */
function rounded(value: number): string {
  const text = value.toExponential(DIGITS - 1);
  const [exact = '', exponent = ''] = value.toExponential(DIGITS_FOR_TIES).split('e');
  // The sign, a digit and the point stand before the rest.
  const kept = exact.slice(0, exact.indexOf('.') + DIGITS);
  if (!/^50*$/.test(exact.slice(kept.length))) return text;
  return Number(kept.at(-1)) % 2 === 0 ? `${kept}e${exponent}` : text;
}

function withoutZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
