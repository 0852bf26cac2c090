/**
 * The record of a move in linear memory, 12 bytes:
 *
 *     byte  0      1      2                 3                    4          5            6   7        8 .. 11
 *         +------+------+-----------------+--------------------+----------+------------+------------+---------------+
 *         | from |  to  | piece, captured | special, promotion | castling | en passant | half-moves | next          |
 *         +------+------+-----------------+--------------------+----------+------------+------------+---------------+
 *           the move: see `move.ts`                              before the move, for undo            address or NULL
 *
 * Squares are those of the mailbox. Bytes 2 and 3 hold two numbers of four bits, the first one named in the lower bits. `next` chains the moves of one ply.
 * A free record holds whatever the allocator put there.
 */

/** Bytes of a record: what is asked of the allocator. */
export const RECORD_SIZE = 12;
/** Words of a record, and where they are. */
export const RECORD_WORDS = 3;
export const MOVE = 0;
export const UNDO = 1;
export const NEXT = 2;

if (RECORD_SIZE !== RECORD_WORDS * Int32Array.BYTES_PER_ELEMENT) throw new RangeError('a record is its words');
