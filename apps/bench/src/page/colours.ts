/** Colours that can be told from the page in both of its schemes. */

/** What lines and marks must differ by from what is behind them: guidelines ask 3 of graphics; thin dotted lines need more. */
const CONTRAST_MIN = 4;

/** Bytes of red, green and blue. */
type Rgb = readonly [number, number, number];

/** The colour itself where it can be seen, or else as little nearer to black or white as makes it so. */
export function visibleOn(background: string, colour: string): string {
  const behind = parseColour(background);
  const from = parseColour(colour);
  const end = luminance(behind) < 0.18 ? 255 : 0;
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = from.map((byte) => Math.round(byte + (end - byte) * share)) as unknown as Rgb;
    if (contrast(mixed, behind) >= CONTRAST_MIN) return formatColour(mixed);
  }
  return formatColour([end, end, end]);
}

function contrast(a: Rgb, b: Rgb): number {
  const [lighter, darker] = [luminance(a), luminance(b)].toSorted((x, y) => y - x) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

/** Relative, as WCAG defines it. */
function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((byte) => (byte / 255 <= 0.04045 ? byte / 255 / 12.92 : ((byte / 255 + 0.055) / 1.055) ** 2.4)) as unknown as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function parseColour(text: string): Rgb {
  return [1, 3, 5].map((at) => Number.parseInt(text.slice(at, at + 2), 16)) as unknown as Rgb;
}

function formatColour(colour: Rgb): string {
  return `#${colour.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
