import { expect, test } from 'vitest';
import { houseRules } from '../src/judge.ts';
import type { Tarball } from '../src/tarball.ts';

const SOUND: Tarball = {
  size: 1000,
  files: ['LICENSE', 'README.md', 'dist/index.d.ts', 'dist/index.js', 'dist/index.js.map', 'package.json'],
  manifest: {
    name: '@allokit/one',
    version: '0.1.0',
    description: 'One.',
    license: 'MIT',
    type: 'module',
    sideEffects: false,
    engines: { node: '>=22' },
    keywords: ['a', 'b', 'c'],
    repository: {},
    homepage: '',
    bugs: '',
    dependencies: { '@allokit/allocator': '^0.1.0' },
  },
};

test('a sound package has nothing to complain of', () => {
  expect(houseRules(SOUND)).toEqual([]);
  const manifest = { ...SOUND.manifest, sideEffects: ['./src/index.ts', './dist/index.js'] };
  expect(houseRules({ ...SOUND, manifest, files: [...SOUND.files, 'bin/one.js'] })).toEqual([]);
});

test.each([
  ['sideEffects', true, 'sideEffects must be false, or name the modules that are there for their effect'],
  ['sideEffects', ['./dist/other.js'], 'sideEffects must be false, or name the modules that are there for their effect'],
  ['type', 'commonjs', 'type must be module'],
  ['engines', {}, 'engines.node must be >=22'],
  ['keywords', ['a'], 'keywords: at least three'],
  ['scripts', { postinstall: 'x' }, 'the script postinstall would run, or be warned of, at installation'],
  ['dependencies', { lodash: '^4.0.0' }, 'the dependency lodash was not agreed on'],
  ['dependencies', { '@allokit/allocator': 'workspace:^' }, 'the range @allokit/allocator@workspace:^ is not one of the form ^1.2.3'],
])('%s: %o', (field, value, complaint) => {
  expect(houseRules({ ...SOUND, manifest: { ...SOUND.manifest, [field]: value } })).toEqual([complaint]);
});

test('what does not belong into a package is found, and what is missing', () => {
  const files = [...SOUND.files.filter((file) => file !== 'LICENSE' && !file.endsWith('.map')), 'test/a.test.ts'];
  expect(houseRules({ ...SOUND, files })).toEqual([
    'LICENSE is missing',
    'test/a.test.ts does not belong into the package',
    'dist/index.js has no source map',
  ]);
});
