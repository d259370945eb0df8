import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

// Who may import whom. Services never import each other; only the executor loads the addon, and
// libs/rpc the small one that reads peer credentials (the rule about @teu/native is in test/boundaries).
const boundaries = [
  { sourceTag: 'layer:generated', onlyDependOnLibsWithTags: ['layer:generated'] },
  {
    sourceTag: 'layer:foundation',
    onlyDependOnLibsWithTags: ['layer:foundation', 'layer:generated'],
  },
  {
    sourceTag: 'layer:platform',
    onlyDependOnLibsWithTags: ['layer:platform', 'layer:foundation', 'layer:generated'],
  },
  ...['layer:service', 'layer:client'].map((sourceTag) => ({
    sourceTag,
    onlyDependOnLibsWithTags: [
      'layer:platform',
      'layer:foundation',
      'layer:generated',
      'layer:testing',
    ],
  })),
  { sourceTag: 'layer:testing', onlyDependOnLibsWithTags: ['*'] },
];

const bannedGlobals = [
  { name: 'console', message: 'Use the logger of @teu/log (or the CLI’s output module).' },
];

const bannedCalls = [
  {
    selector: "MemberExpression[object.name='process'][property.name='env']",
    message: 'Read the environment in config.ts or main.ts only.',
  },
  {
    selector: "CallExpression[callee.object.name='process'][callee.property.name='exit']",
    message: 'Only main.ts ends the process.',
  },
  {
    selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    message: 'Use the clock of @teu/ids.',
  },
  {
    selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
    message: 'Use randomId of @teu/ids, or node:crypto.',
  },
];

export default tseslint.config(
  {
    ignores: [
      '**/node_modules',
      '**/dist',
      '**/build',
      'bin',
      '.nx',
      'libs/proto/src/gen',
      '**/fixtures',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    plugins: { '@nx': nx },
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        { enforceBuildableLibDependency: false, allow: [], depConstraints: boundaries },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Numbers in messages read well as they are.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Handlers of one interface are async whether or not each of them waits.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unified-signatures': 'off',
      // ts-proto writes type-only namespaces beside its enum objects.
      '@typescript-eslint/no-namespace': 'off',
      'no-restricted-globals': ['error', ...bannedGlobals],
      'no-restricted-syntax': ['error', ...bannedCalls],
      'max-lines': ['error', { max: 600 }],
      'max-lines-per-function': ['error', { max: 70, skipComments: true }],
    },
  },
  {
    files: [
      '**/config.ts',
      '**/main.ts',
      'libs/config/**',
      'libs/ids/**',
      'libs/testing/**',
      'libs/failpoint/**',
      'native/test/support/**',
    ],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: [
      '**/*.test.ts',
      'test/**',
      '*.config.ts',
      'libs/snapshot-conformance/**',
      'services/*/src/testing/{suite,groups}/**',
    ],
    rules: {
      'no-restricted-syntax': 'off',
      // A describe block is a list of cases, not a function that must fit a screen.
      'max-lines-per-function': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        performance: 'readonly',
        fetch: 'readonly',
      },
    },
  },
);
