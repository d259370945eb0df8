// Vitest's configuration inside the machine. Tests are bundles there (tools/bundle-tests.mjs), so Node loads them
// by itself, all in one process: vite's way of loading takes twenty times as long as the tests.
import process from 'node:process';

const patience = Number(process.env['TEU_TEST_PATIENCE'] ?? 1);

export default {
  // The checkout is read-only.
  cacheDir: '/tmp/vite',
  test: {
    include: ['**/*.test.mjs'],
    exclude: [],
    pool: 'forks',
    isolate: false,
    fileParallelism: false,
    retry: 0,
    restoreMocks: true,
    unstubEnvs: true,
    testTimeout: 60_000 * patience,
    hookTimeout: 60_000 * patience,
    passWithNoTests: false,
    allowOnly: false,
    experimental: { viteModuleRunner: false },
  },
};
