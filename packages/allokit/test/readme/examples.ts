/**
 * The examples in the documentation: every fenced block of TypeScript, found and written to files that can be compiled and run.
 *
 * An example states its results as comments behind the calls that print them: `console.log(sum); // 42`. A block whose first line is a comment with
 * a file name is written under that name, for the other blocks of its document to import; it need not print anything.
 */

import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Where the examples are written: inside the package, for its imports to be theirs, and ignored by git. */
const FOLDER = fileURLToPath(new URL('../../test-results/readme/', import.meta.url));

/** One block of code in a document. */
export interface Example {
  /** The document and the line that the block starts at. */
  readonly name: string;
  /** The file it was written to. */
  readonly file: string;
  /** Whether it only exists for others to import. */
  readonly isModule: boolean;
  /** What it says it prints, line by line. */
  readonly expected: readonly string[];
  /** How many times it prints. */
  readonly printCount: number;
}

/** The documents that may hold examples, relative to the root of the repository. */
export function documents(): string[] {
  const packages = ['packages', 'apps'].flatMap((group) => readdirSync(join(ROOT, group)).map((name) => `${group}/${name}/README.md`));
  const guides = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
  return ['README.md', ...packages, ...guides].filter((path) => readdirSync(join(ROOT, path, '..')).includes(basename(path)));
}

/** A document's text. */
export function textOf(document: string): string {
  return readFileSync(join(ROOT, document), 'utf8');
}

/** Writes the examples of all documents, together with a configuration for the compiler. Returns them and its path. */
export function writeExamples(): { readonly examples: readonly Example[]; readonly configuration: string } {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const configuration = join(FOLDER, 'tsconfig.json');
  const compilerOptions = { types: ['node'], noUnusedLocals: false };
  writeFileSync(configuration, JSON.stringify({ extends: join(ROOT, 'tsconfig.base.json'), compilerOptions, include: ['**/*.ts'] }));
  return { examples: documents().flatMap((document) => extract(document)), configuration };
}

function extract(document: string): Example[] {
  const text = textOf(document);
  const folder = join(FOLDER, document.replaceAll(/\W+/g, '-'));
  mkdirSync(folder, { recursive: true });
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => {
    const [, code = ''] = match;
    const line = text.slice(0, match.index).split('\n').length;
    const moduleName = /^\/\/ ([\w-]+\.ts)\n/.exec(code)?.[1];
    const file = join(folder, moduleName ?? `line-${line}.ts`);
    // An empty export makes a module of a block that imports nothing.
    writeFileSync(file, `${code}\nexport {};\n`);
    return {
      name: `${document}:${line}`,
      file,
      isModule: moduleName !== undefined,
      expected: [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, value = '']) => value),
      printCount: [...code.matchAll(/console\.log\(/g)].length,
    };
  });
}
