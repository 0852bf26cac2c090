/** From Lox source to tokens that are plain objects: how one writes it in JavaScript. */

/** What a token is: its own text where that is always the same. */
export type TokenType =
  | '('
  | ')'
  | '{'
  | '}'
  | ','
  | '.'
  | '-'
  | '+'
  | ';'
  | '/'
  | '*'
  | '!'
  | '!='
  | '='
  | '=='
  | '>'
  | '>='
  | '<'
  | '<='
  | 'and'
  | 'class'
  | 'else'
  | 'false'
  | 'for'
  | 'fun'
  | 'if'
  | 'nil'
  | 'or'
  | 'print'
  | 'return'
  | 'super'
  | 'this'
  | 'true'
  | 'var'
  | 'while'
  | 'identifier'
  | 'string'
  | 'number'
  | 'end';

/** A token. */
export interface Token {
  readonly type: TokenType;
  /** As it stands in the source; of a string, what is between the quotes. */
  readonly text: string;
  /** Counted from 1: that of its end. */
  readonly line: number;
}

/** A program that is none. This front end stops at the first mistake. */
export class ObjectSyntaxError extends Error {
  override readonly name = 'ObjectSyntaxError';

  /** @param line - Counted from 1. */
  constructor(message: string, line: number) {
    super(`[line ${line}] ${message}`);
  }
}

const KEYWORDS = new Map<string, TokenType>(
  (['and', 'class', 'else', 'false', 'for', 'fun', 'if', 'nil', 'or', 'print', 'return', 'super', 'this', 'true', 'var', 'while'] as const).map((word) => [
    word,
    word,
  ]),
);

/** The tokens of a program, the last of which is its end. */
export function scan(source: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let i = 0;
  const push = (type: TokenType, text: string): void => {
    tokens.push({ type, text, line });
  };
  while (i < source.length) {
    const code = source.charCodeAt(i);
    if (code === 10) {
      line += 1;
      i += 1;
    } else if (code === 32 || code === 13 || code === 9) i += 1;
    else if (isLetter(code)) {
      const start = i;
      do i += 1;
      while (isLetter(source.charCodeAt(i)) || isDigit(source.charCodeAt(i)));
      const text = source.slice(start, i);
      push(KEYWORDS.get(text) ?? 'identifier', text);
    } else if (isDigit(code)) {
      const start = i;
      do i += 1;
      while (isDigit(source.charCodeAt(i)));
      if (source[i] === '.' && isDigit(source.charCodeAt(i + 1))) {
        do i += 1;
        while (isDigit(source.charCodeAt(i)));
      }
      push('number', source.slice(start, i));
    } else if (code === 34) {
      const end = source.indexOf('"', i + 1);
      if (end < 0) throw new ObjectSyntaxError('Error: Unterminated string.', line);
      const text = source.slice(i + 1, end);
      for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) line += 1;
      push('string', text);
      i = end + 1;
    } else {
      const character = source[i]!;
      switch (character) {
        case '/':
          if (source[i + 1] === '/') {
            const end = source.indexOf('\n', i);
            i = end < 0 ? source.length : end;
          } else {
            push('/', character);
            i += 1;
          }
          break;
        case '(':
        case ')':
        case '{':
        case '}':
        case ',':
        case '.':
        case '-':
        case '+':
        case ';':
        case '*':
          push(character, character);
          i += 1;
          break;
        case '!':
        case '=':
        case '<':
        case '>':
          if (source[i + 1] === '=') {
            push(`${character}=`, `${character}=`);
            i += 2;
          } else {
            push(character, character);
            i += 1;
          }
          break;
        default:
          throw new ObjectSyntaxError('Error: Unexpected character.', line);
      }
    }
  }
  push('end', '');
  return tokens;
}

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
