import { expect, test } from 'vitest';
import { examplesOf } from '../src/consumers/examples.ts';

const README = `# x

\`\`\`ts
import { a } from '@allokit/x';
import { b } from '@allokit/y/native';

const c: number = a(b);
console.log(c); // 1
console.log(c, 2); // 1 2
\`\`\`

\`\`\`ts
// file-for-others.ts
import { a } from '@allokit/x';
\`\`\`

\`\`\`ts
import { d } from 'allokit';

using e = d();
console.log(e); // 3
\`\`\`
`;

test('examples are found with what they print, what they need, and where they run', () => {
  const [first, second, ...others] = examplesOf(README);
  expect(others).toEqual([]);
  expect(first).toMatchObject({ output: '1\n1 2', packages: ['@allokit/x', '@allokit/y'], isForBrowsers: false, nodeMajor: 22 });
  expect(first?.program).not.toContain(': number');
  expect(second).toMatchObject({ output: '3', packages: ['allokit'], isForBrowsers: true, nodeMajor: 24 });
});
