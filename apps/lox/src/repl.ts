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

/**
 * Reads lines until there are no more. Each is run as it comes, before the next one is read.
 *
 * @param isSilent - Whether only programs print: neither a prompt nor the end of the last line.
 * @throws What the system says where the input cannot be read, or the output cannot be written.
 */
export async function repl(session: Session, isSilent: boolean): Promise<void> {
  const { stdin, stdout } = process;
  const isTerminal = !isSilent && stdin.isTTY && stdout.isTTY;
  const path = historyPath();
  let history = readHistory(path);
  const terminal = { output: stdout, terminal: true, prompt: PROMPT, history: [...history], historySize: HISTORY_SIZE, removeHistoryDuplicates: true };
  const lines = createInterface({ input: stdin, ...(isTerminal ? terminal : {}) });
  const encoder = new TextEncoder();
  const ask = (): void => {
    if (isTerminal) lines.prompt();
    else if (!isSilent) writeOutput(encoder.encode(PROMPT));
  };
  // The lines that a terminal edits come with a history; those of a pipe do not.
  lines.on('history', (latest: string[]) => {
    history = [...latest];
  });
  const answer = (line: string): void => {
    if (isTerminal) {
      // A program that does not end can be interrupted: at the prompt Ctrl+C is a key like others, here it ends the process. The line that did it is kept.
      writeHistory(path, history);
      stdin.setRawMode(false);
    } else if (line.trim() !== '') history = [line, ...history.filter((other) => other !== line)].slice(0, HISTORY_SIZE);
    session.interpret(encoder.encode(line));
    if (isTerminal) stdin.setRawMode(true);
    ask();
  };
  await new Promise<void>((resolve, reject) => {
    const attempt = (action: () => void): void => {
      try {
        action();
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        lines.close();
        // Whoever writes to a pipe may go on for long: the process does not wait for that.
        stdin.destroy();
      }
    };
    stdin.once('error', reject);
    lines.once('close', resolve).on('line', (line) => {
      attempt(() => {
        answer(line);
      });
    });
    attempt(ask);
  });
  if (!isSilent) writeOutput(encoder.encode('\n'));
  writeHistory(path, history);
}
