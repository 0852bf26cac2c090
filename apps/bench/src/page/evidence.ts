/** Looks up what was measured, for claims: by family, exhibit, subject and point. */

import { nanosecondsOf, type PromiseKept } from './exhibit.ts';
import type { Chapter } from './run-family.ts';

/** Where a figure is. */
export interface FigureKey {
  readonly family: string;
  readonly exhibit: string;
  readonly subject: string;
  /** The label of the point; absent where there is one only. */
  readonly point?: string;
}

export class Evidence {
  /** Of the machine. */
  readonly processorCount: number;
  readonly clockMhz: number;
  readonly #chapters: readonly Chapter[];

  constructor(chapters: readonly Chapter[], machine: { readonly processorCount: number; readonly clockMhz: number }) {
    this.#chapters = chapters;
    this.processorCount = machine.processorCount;
    this.clockMhz = machine.clockMhz;
  }

  /** The median in nanoseconds; `undefined` where it was not measured, or went wrong. */
  ns({ family, exhibit: name, subject, point = '' }: FigureKey): number | undefined {
    const exhibit = this.#chapters.find((chapter) => chapter.name === family)?.reading?.exhibits.find((candidate) => candidate.name === name);
    const row = exhibit?.points.find(({ label }) => label === point)?.rows.find((candidate) => candidate.subject === subject);
    if (exhibit === undefined || row?.status !== 'ok' || typeof row.median !== 'number') return undefined;
    return nanosecondsOf(exhibit, row.median);
  }

  /** Bytes of the memory that a family worked on. */
  sizeBytes(family: string): number | undefined {
    const [output] = this.#chapters.find(({ name }) => name === family)?.outputs ?? [];
    return (output as { readonly options?: { readonly sizeBytes?: number } } | undefined)?.options?.sizeBytes;
  }

  /** The first promise of a family whose text begins so. */
  promise(family: string, beginning: string): PromiseKept | undefined {
    return this.#chapters.find(({ name }) => name === family)?.reading?.promises.find(({ text }) => text.startsWith(beginning));
  }
}
