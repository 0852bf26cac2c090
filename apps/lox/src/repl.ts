/** The prompt: a line is a program, and what it defines stays. */

import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Session } from './session.ts';
import { writeOutput } from './standard-streams.ts';

const PROMPT = '> ';
const HISTORY_SIZE = 1000;

/** Where the history is kept: what the environment says, or a file in the home directory. */
export function historyPath(): string {
  return process.env['LOX_HISTORY'] ?? join(homedir(), '.lox_history');
}

/** The lines of earlier sessions, the latest first. */
function readHistory(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter((line) => line !== '').slice(-HISTORY_SIZE).reverse();
  } catch {
    // There is none yet, or it is not ours to read.
    return [];
  }
}

function writeHistory(path: string, lines: readonly string[]): void {
  try {
    writeFileSync(path, lines.toReversed().map((line) => `${line}\n`).join(''), { mode: 0o600 });
  } catch {
    // A history is a convenience.
  }
}

/** Reads lines until there are no more. */
export async function repl(session: Session): Promise<void> {
  const path = historyPath();
  const terminal = process.stdin.isTTY && process.stdout.isTTY;
  let history = readHistory(path);
  const lines = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal,
    prompt: PROMPT,
    history: [...history],
    historySize: HISTORY_SIZE,
    removeHistoryDuplicates: true,
  });
  const encoder = new TextEncoder();
  // The lines that a terminal edits come with a history; those of a pipe do not.
  lines.on('history', (latest: string[]) => {
    history = [...latest];
  });
  lines.prompt();
  for await (const line of lines) {
    if (!terminal && line.trim() !== '') history = [line, ...history.filter((other) => other !== line)].slice(0, HISTORY_SIZE);
    session.interpret(encoder.encode(line));
    lines.prompt();
  }
  writeOutput(encoder.encode('\n'));
  writeHistory(path, history);
}
