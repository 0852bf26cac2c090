import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

export default defineConfig(
  // AssemblyScript only looks like TypeScript.
  { ignores: ['**/dist/', '**/test-results/', '**/.turbo/', '**/assembly/', 'docs/site/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // A typed-array read is `number | undefined` under noUncheckedIndexedAccess; a hot path cannot afford to check it.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Messages quote addresses and sizes, and a number has one spelling.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `using` names a resource for the sake of its disposal at the end of the block; an underscore marks a parameter that
      // the signature demands and the body has no need of.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreUsingDeclarations: true }],
      // `() => heap.reset()` is how a call is handed to `expect`, and says no less than the same call in braces.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    // Browsers load the libraries: nothing in them may need Node.js, but what a package keeps in a folder `native`, and the checker of interleavings.
    files: ['packages/*/src/**/*.ts'],
    ignores: ['packages/*/src/native/**', 'packages/allocator/src/interleaving/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^node:', message: 'Browsers load this package; Node built-ins belong to tests and apps.' }] },
      ],
    },
  },
);
