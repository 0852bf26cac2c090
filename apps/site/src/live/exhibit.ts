/** What a live page shows: an allocator at work in a small memory, as lanes of a map, figures, and things one can do to it. */

import type { Address } from '@allokit/allocator';

/** What a piece of memory is; for blocks, which of the colours it has. */
export type Look = 'state' | 'garbage' | `tone${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7}`;

/** A piece of a lane that is not free. */
export interface Piece {
  /** Where it starts. */
  readonly start: Address;
  /** Bytes it takes. */
  readonly size: number;
  /** Bytes of it that somebody asked for: the rest is drawn faint. */
  readonly asked: number;
  readonly look: Look;
  /** What it is, for people. */
  readonly label: string;
  /** One or two letters to write into it. */
  readonly sign?: string;
  /** The address to free, of a block that can be freed. */
  readonly block?: Address;
}

/** A contiguous part of the memory with a name. */
export interface Lane {
  readonly name: string;
  readonly start: Address;
  readonly size: number;
  /** In ascending order, apart from one another. */
  readonly pieces: readonly Piece[];
}

/** A figure of the allocator's own. */
export interface Figure {
  readonly name: string;
  readonly value: string;
}

/** Something one can do. */
export interface Action {
  /** What the button says. */
  readonly label: string;
  /** What it does, in a sentence. */
  readonly hint: string;
  readonly run: () => void;
  /** Whether it can be done now. Default: always. */
  readonly isPossible?: () => boolean;
}

/** Actions that belong together. */
export interface ActionGroup {
  readonly name: string;
  readonly actions: readonly Action[];
}

/** Notes a call and what came of it, as one would write them down. */
export type Say = (call: string, result?: string) => void;

/** An allocator at work. */
export interface Exhibit {
  readonly lanes: () => readonly Lane[];
  readonly figures: () => readonly Figure[];
  readonly groups: readonly ActionGroup[];
  /** What the colours say. */
  readonly legend: readonly { readonly look: Look; readonly text: string }[];
  /** Allocates so many bytes, as the visitor typed them. */
  readonly allocate: (size: number) => void;
  /** Frees the block the visitor pointed at; absent where blocks cannot be freed one by one. */
  readonly free?: (block: Address) => void;
  /** One small step of a program at work. */
  readonly step: () => void;
  /** Whether others change the memory right now, so that the map must be drawn all the time. */
  readonly isBusy?: () => boolean;
  /** Bytes of a row of the map at the least. */
  readonly rowBytesMin?: number;
  /** Ends what goes on behind the page. */
  readonly close?: () => void;
}
