/** What the exports are called that the rewriting adds. */

/** Names of added exports, behind the prefix. */
export const ADDED = {
  save: 'save',
  restore: 'restore',
  memory: (index: number): string => `memory.${index}`,
  hidden: (index: number): string => `hidden.${index}`,
  knownPages: (index: number): string => `known.${index}`,
  table: (index: number): string => `table.${index}`,
  marks: (index: number): string => `marks.${index}`,
  markedCount: (index: number): string => `marked.${index}`,
  mark: (index: number): string => `mark.${index}`,
  read: (slot: number, half: number): string => `read.${slot}.${half}`,
  write: (slot: number, half: number): string => `write.${slot}.${half}`,
  reference: (slot: number): string => `reference.${slot}`,
} as const;
