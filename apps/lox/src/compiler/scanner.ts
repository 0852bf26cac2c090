/** From the source to tokens: all of them at once, as a list of records. */

import { NULL, type Address } from '@allokit/allocator';
import { RecordKind } from '../records/index.ts';
import { TOKEN_HEAD, TOKEN_LINE, TOKEN_NEXT, TOKEN_SIZE, TOKEN_START } from './layout.ts';
import type { Records } from './records.ts';
import { KEYWORDS, TokenKind } from './token-kind.ts';

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const SLASH = 0x2f;
const DOT = 0x2e;
const EQUAL = 0x3d;

/** What a byte may be the start or a part of. */
const IS_LETTER = 1;
const IS_DIGIT = 2;
const IS_BLANK = 4;

const TRAITS = new Uint8Array(256);
for (let byte = 0; byte < 256; byte += 1) {
  const character = String.fromCharCode(byte);
  if (/^[A-Za-z_]$/.test(character)) TRAITS[byte] = IS_LETTER;
  else if (/^[0-9]$/.test(character)) TRAITS[byte] = IS_DIGIT;
  else if (/^[ \r\t\n]$/.test(character)) TRAITS[byte] = IS_BLANK;
}

/** Tokens of one byte; those that an equals sign may follow are the token with it less one. */
const SINGLE = new Uint8Array(256).fill(TokenKind.Unexpected);
Object.entries({
  '(': TokenKind.LeftParenthesis,
  ')': TokenKind.RightParenthesis,
  '{': TokenKind.LeftBrace,
  '}': TokenKind.RightBrace,
  ',': TokenKind.Comma,
  '.': TokenKind.Dot,
  '-': TokenKind.Minus,
  '+': TokenKind.Plus,
  ';': TokenKind.Semicolon,
  '/': TokenKind.Slash,
  '*': TokenKind.Star,
  '!': TokenKind.Bang,
  '=': TokenKind.Equal,
  '>': TokenKind.Greater,
  '<': TokenKind.Less,
}).forEach(([character, kind]) => {
  SINGLE[character.charCodeAt(0)] = kind;
});

interface Keyword {
  readonly bytes: Uint8Array;
  readonly kind: number;
}

/** Keywords by their first byte. */
const KEYWORDS_BY_BYTE: readonly (readonly Keyword[])[] = Array.from({ length: 128 }, (_, byte) =>
  Object.entries(KEYWORDS)
    .filter(([word]) => word.charCodeAt(0) === byte)
    .map(([word, kind]) => ({ bytes: new TextEncoder().encode(word), kind })),
);

/**
 * Scans a source.
 *
 * @param first - A token that stands before all others: the list is made to begin there, so that whoever keeps it keeps them all.
 * @param start - The address of the first byte.
 * @param end - Where the source ends.
 */
export function scan(records: Records, first: Address, start: Address, end: Address): void {
  let { bytes } = records;
  let at = start;
  let line = 1;
  let last = first;
  for (;;) {
    let traits = TRAITS[bytes[at]!]!;
    while (at < end && ((traits & IS_BLANK) !== 0 || (bytes[at] === SLASH && at + 1 < end && bytes[at + 1] === SLASH))) {
      if ((traits & IS_BLANK) !== 0) {
        if (bytes[at] === NEWLINE) line += 1;
        at += 1;
      } else while (at < end && bytes[at] !== NEWLINE) at += 1;
      traits = TRAITS[bytes[at]!]!;
    }
    const from = at;
    let kind: number = TokenKind.End;
    if (at < end) {
      if ((traits & IS_LETTER) !== 0) {
        do at += 1;
        while (at < end && (TRAITS[bytes[at]!]! & (IS_LETTER | IS_DIGIT)) !== 0);
        kind = keywordOf(bytes, from, at);
      } else if ((traits & IS_DIGIT) !== 0) {
        do at += 1;
        while (at < end && TRAITS[bytes[at]!] === IS_DIGIT);
        if (at + 1 < end && bytes[at] === DOT && TRAITS[bytes[at + 1]!] === IS_DIGIT) {
          do at += 1;
          while (at < end && TRAITS[bytes[at]!] === IS_DIGIT);
        }
        kind = TokenKind.Number;
      } else if (bytes[at] === QUOTE) {
        at += 1;
        while (at < end && bytes[at] !== QUOTE) {
          if (bytes[at] === NEWLINE) line += 1;
          at += 1;
        }
        kind = at < end ? TokenKind.Text : TokenKind.Unterminated;
        if (at < end) at += 1;
      } else {
        kind = SINGLE[bytes[at]!]!;
        at += 1;
        const takesEqual = kind === TokenKind.Bang || kind === TokenKind.Equal || kind === TokenKind.Greater || kind === TokenKind.Less;
        if (takesEqual && at < end && bytes[at] === EQUAL) {
          kind += 1;
          at += 1;
        }
      }
    }
    const token = records.allocate(RecordKind.Token, TOKEN_SIZE);
    ({ bytes } = records);
    const { words } = records;
    const word = token >>> 2;
    words[word + TOKEN_HEAD] = kind | ((at - from) << 8);
    words[word + TOKEN_START] = from;
    words[word + TOKEN_LINE] = line;
    words[word + TOKEN_NEXT] = NULL;
    words[(last >>> 2) + TOKEN_NEXT] = token;
    last = token;
    if (kind === TokenKind.End) return;
  }
}

function keywordOf(bytes: Uint8Array, start: Address, end: Address): number {
  const length = end - start;
  for (const keyword of KEYWORDS_BY_BYTE[bytes[start]!]!) {
    if (keyword.bytes.length !== length) continue;
    let i = 1;
    while (i < length && keyword.bytes[i] === bytes[start + i]) i += 1;
    if (i === length) return keyword.kind;
  }
  return TokenKind.Identifier;
}
