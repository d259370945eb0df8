import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take longest, though they are small; the last of them would otherwise run alone. */
const LONGEST = [
  'test/e2e/base-upgrade.root.test.ts',
  'test/lab/power-cut/power-cut.root.test.ts',
  'services/storage-driver/src/drivers/zfs/conformance.root.test.ts',
  'native/test/layer/layer-forms.root.test.ts',
  'test/lab/lab.root.test.ts',
  'services/storage-driver/src/drivers/aufs/conformance.root.test.ts',
  'services/engine/src/base-crash.test.ts',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId }: TestSpecification): number => {
      const place = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}`));
      return place < 0 ? LONGEST.length : place;
    };
    return (await super.sort(files)).sort((one, other) => placeOf(one) - placeOf(other));
  }
}

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
    setupFiles: ['libs/testing/src/failure-logs.ts'],
    pool: 'forks',
    maxWorkers: Math.min(2, availableParallelism()),
    retry: 0,
    sequence: { sequencer: LongestFirst },
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
