/** Allocation sites as a pprof profile: what `go tool pprof`, Speedscope, Pyroscope and others read. Its sample types are those of Go's heap profiles. */

import type { AllocationSite } from '@allokit/allocator';
import { Function as ProfileFunction, Line, Location, Profile, Sample, StringTable, ValueType } from 'pprof-format';
import { parseStack, type Frame } from './stack.ts';

/** How a profile is written. */
export interface PprofOptions {
  /** Bytes between two samples on average, for the record: the figures are scaled already. Default 0: every block was noted. */
  readonly interval?: number;
  /** When it was taken, in milliseconds since 1970. Default: now. */
  readonly timeMs?: number;
}

/**
 * Writes sites as a pprof profile, uncompressed, which readers accept; files are customarily compressed with gzip. O(sites).
 *
 * @param sites - From `Profiled.sites` or `Tracked.sites`. The values `inuse_space` sum up to their live bytes.
 */
export function pprofOf(sites: readonly AllocationSite[], { interval = 0, timeMs = Date.now() }: PprofOptions = {}): Uint8Array {
  const strings = new StringTable();
  const valueType = (type: string, unit: string): ValueType => new ValueType({ type: strings.dedup(type), unit: strings.dedup(unit) });
  const table = new LocationTable(strings);
  const profile = new Profile({
    sampleType: [valueType('alloc_objects', 'count'), valueType('alloc_space', 'bytes'), valueType('inuse_objects', 'count'), valueType('inuse_space', 'bytes')],
    sample: sites.map(({ stack, totalCount, totalBytes, liveCount, liveBytes }) => {
      const frames = parseStack(stack);
      const locationId = (frames.length === 0 ? [UNKNOWN] : frames).map((frame) => table.idOf(frame));
      return new Sample({ locationId, value: [totalCount, totalBytes, liveCount, liveBytes] });
    }),
    location: table.locations,
    function: table.functions,
    timeNanos: BigInt(Math.round(timeMs)) * 1_000_000n,
    periodType: valueType('space', 'bytes'),
    period: Math.max(1, interval),
    defaultSampleType: strings.dedup('inuse_space'),
    stringTable: strings,
  });
  return profile.encode();
}

/** A site whose stack was not noted. */
const UNKNOWN: Frame = { functionName: '(unknown)', file: '', line: 0, column: 0 };

/** Every place and every function once, by number. */
class LocationTable {
  readonly locations: Location[] = [];
  readonly functions: ProfileFunction[] = [];
  readonly #strings: StringTable;
  readonly #locationIds = new Map<string, number>();
  readonly #functionIds = new Map<string, number>();

  constructor(strings: StringTable) {
    this.#strings = strings;
  }

  idOf({ functionName, file, line, column }: Frame): number {
    const key = `${functionName}\n${file}\n${line}\n${column}`;
    const known = this.#locationIds.get(key);
    if (known !== undefined) return known;
    const id = this.locations.length + 1;
    this.#locationIds.set(key, id);
    this.locations.push(new Location({ id, line: [new Line({ functionId: this.#functionIdOf(functionName, file), line, column })] }));
    return id;
  }

  #functionIdOf(functionName: string, file: string): number {
    const key = `${functionName}\n${file}`;
    const known = this.#functionIds.get(key);
    if (known !== undefined) return known;
    const id = this.functions.length + 1;
    const name = this.#strings.dedup(functionName);
    this.#functionIds.set(key, id);
    this.functions.push(new ProfileFunction({ id, name, systemName: name, filename: this.#strings.dedup(pathOf(file)) }));
    return id;
  }
}

/** Files as paths, as other tools have them. */
function pathOf(file: string): string {
  if (!file.startsWith('file://')) return file;
  try {
    return decodeURIComponent(new URL(file).pathname);
  } catch {
    // A program may call its sources what it likes.
    return file;
  }
}
