/** The examples in a README, as programs without types. They say what they print: `console.log(sum); // 42`. */

import { stripTypeScriptTypes } from 'node:module';

/** One example. */
export interface Example {
  /** TypeScript. */
  readonly source: string;
  /** The same as an ES module. */
  readonly program: string;
  /** What it prints. */
  readonly output: string;
  /** The packages it imports, without paths. */
  readonly packages: readonly string[];
  /** Whether it runs where there is no Node.js, and nothing of the operating system. */
  readonly isForBrowsers: boolean;
  /** The oldest major of Node.js whose syntax is enough. */
  readonly nodeMajor: number;
}

/** What is imported by an example, as it is written there. */
function importsOf(source: string): string[] {
  return [...source.matchAll(/ from '([^'.][^']*)';/g)].map(([, specifier = '']) => specifier);
}

/** All examples of a text but those whose first line says that they are a file for others. */
export function examplesOf(readme: string): Example[] {
  const blocks = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, source = '']) => source);
  return blocks
    .filter((source) => !/^\/\/ [\w-]+\.ts\n/.test(source) && importsOf(source).length > 0)
    .map((source) => {
      const imports = importsOf(source);
      return {
        source,
        program: stripTypeScriptTypes(source),
        output: [...source.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, line = '']) => line).join('\n'),
        packages: [...new Set(imports.filter((name) => !name.startsWith('node:')).map((name) => name.replace(/^(@[^/]+\/[^/]+|[^@/]+).*$/, '$1')))],
        isForBrowsers: !imports.some((name) => name.startsWith('node:') || name.endsWith('/native') || name.endsWith('/interleaving')),
        nodeMajor: /\busing \w+ =/.test(source) ? 24 : 22,
      };
    });
}
