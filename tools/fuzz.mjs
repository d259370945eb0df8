// Fuzzes the code that reads hostile bytes. Usage: npm run fuzz [-- --seconds N] [--target NAME] [--seed N]
// Defaults: 60 seconds for each target, all targets, a seed from the clock. A crash prints how to repeat it.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    target: { type: 'string' },
    seed: { type: 'string', default: String(Date.now()) },
  },
});
const env = { ...process.env, TEU_FUZZ_SECONDS: values.seconds, TEU_FUZZ_SEED: values.seed };
if (values.target !== undefined) env.TEU_FUZZ_TARGET = values.target;
const ran = spawnSync('npx', ['vitest', 'run', 'native/test/fuzz'], {
  cwd: root,
  env,
  stdio: 'inherit',
});
process.exit(ran.status ?? 1);
