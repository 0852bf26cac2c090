/** Tubes along knots, as binary assets: rings of points, ready to be read as numbers where they lie. */

/** A ring has so many points. */
export const RING_SIZE = 12;
/** A tube has so many rings. */
export const RING_COUNT = 240;

/** The points of a tube around a torus knot: x, y, z of each, ring after ring, in -1..1. */
export function makeMesh([p, q]: readonly [number, number]): Float32Array<ArrayBuffer> {
  const points = new Float32Array(RING_COUNT * RING_SIZE * 3);
  for (let ring = 0; ring < RING_COUNT; ring += 1) {
    const centre = knot(p, q, ring / RING_COUNT);
    const ahead = knot(p, q, (ring + 0.5) / RING_COUNT);
    const along = normal(ahead.map((a, i) => a - centre[i]!));
    const aside = normal(cross(along, centre));
    const up = cross(along, aside);
    for (let i = 0; i < RING_SIZE; i += 1) {
      const angle = (i / RING_SIZE) * Math.PI * 2;
      const point = centre.map((c, axis) => c + 0.11 * (Math.cos(angle) * aside[axis]! + Math.sin(angle) * up[axis]!));
      points.set(point, (ring * RING_SIZE + i) * 3);
    }
  }
  return points;
}

function knot(p: number, q: number, t: number): number[] {
  const angle = t * Math.PI * 2;
  const radius = 0.58 + 0.26 * Math.cos(q * angle);
  return [radius * Math.cos(p * angle), radius * Math.sin(p * angle), 0.26 * Math.sin(q * angle)];
}

function cross(a: readonly number[], b: readonly number[]): number[] {
  return [a[1]! * b[2]! - a[2]! * b[1]!, a[2]! * b[0]! - a[0]! * b[2]!, a[0]! * b[1]! - a[1]! * b[0]!];
}

function normal(a: readonly number[]): number[] {
  const length = Math.hypot(...a);
  return a.map((part) => part / length);
}
