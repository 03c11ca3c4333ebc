import tseslint from 'typescript-eslint';

const limits = {
  'max-lines': ['error', 300],
  'max-lines-per-function': ['error', 50],
};

export default tseslint.config(
  { ignores: ['built', 'node_modules'] },
  {
    files: ['src/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...limits,
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-unnecessary-type-parameters': 'off', // a reader of bytes is told what they hold
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
    },
  },
  { files: ['src/**/*.test.ts'], rules: { 'max-lines-per-function': 'off' } },
  { files: ['*.mjs'], rules: limits },
);
