import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';

// One run for the whole repository: one summary, one place for limits. Files run in processes of
// their own, so that a crash in the addon ends one file and not the run.
export default defineConfig({
  test: {
    include: [
      'libs/*/src/**/*.test.ts',
      'services/*/src/**/*.test.ts',
      'clients/cli/src/**/*.test.ts',
      'native/{ts,test}/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    // These need the kernel of the lab (test/lab).
    exclude: [...configDefaults.exclude, '**/*.lab.test.ts', '**/*.long-lab.test.ts'],
    pool: 'forks',
    maxWorkers: Math.min(2, availableParallelism()),
    retry: 0,
    restoreMocks: true,
    unstubEnvs: true,
    // An end for what hangs, not a measure: another machine may be several times slower.
    testTimeout: 60_000,
    // There is one zfs-fuse on a host, and test files wait in hooks for their turn.
    hookTimeout: 600_000,
    passWithNoTests: false,
    allowOnly: false,
  },
});
