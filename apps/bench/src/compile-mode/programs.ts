/** What is compiled: generated programs of some lengths, and those that people wrote. */

import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { compile } from 'lox/compiler';
import { HybridSpace } from 'lox/records';

import { generateProgram } from './program-generator.ts';

/** One program. */
export interface CompiledProgram {
  readonly name: string;
  readonly origin: 'generated' | 'written';
  readonly source: string;
  readonly lineCount: number;
}

/** Lines of the generated ones. */
export const GENERATED_LINES: readonly number[] = [100, 500, 1000, 5000, 10_000];

/** Where the written ones are, for this file as it stands and when built. */
const WRITTEN = new URL('../../../lox/programs/', import.meta.url);

/** A program of so many lines. */
export function generatedProgram(lineCount: number, seed: number): CompiledProgram {
  return { name: `generated, ${lineCount.toLocaleString('en')} lines`, origin: 'generated', source: generateProgram(lineCount, seed), lineCount };
}

/** The programs of the app, shortest first; without those that show what an error looks like. */
export async function writtenPrograms(folder: URL = WRITTEN): Promise<CompiledProgram[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.lox'));
  const programs = await Promise.all(
    names.map(async (name): Promise<CompiledProgram> => {
      const source = await readFile(fileURLToPath(new URL(name, folder)), 'utf8');
      return { name, origin: 'written', source, lineCount: source.split('\n').length - 1 };
    }),
  );
  const space = HybridSpace.create();
  const isValid = ({ source }: CompiledProgram): boolean => {
    const { errors } = compile(new TextEncoder().encode(source), space);
    space.reset();
    return errors === '';
  };
  return programs.filter(isValid).sort((a, b) => a.lineCount - b.lineCount);
}
