// `npm start`: from a fresh clone to a running container. Safe to repeat.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setUp } from './setup.mjs';
import { SetupFailure, reportFailure } from './setup/step.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const image = 'busybox:latest';

/** Runs bin/teu with its output on this terminal; failure ends the start with a reason. */
function teu(...args) {
  const { status } = spawnSync(`${root}bin/teu`, args, { stdio: 'inherit', cwd: root });
  if (status !== 0) {
    throw new SetupFailure(
      `bin/teu ${args[0]} failed with exit code ${status}`,
      'the services’ logs are in /var/lib/teu/log (or $TEU_DATA_DIR/log); bin/teu status shows them',
    );
  }
}

function hasImage() {
  const { status, stdout } = spawnSync(`${root}bin/teu`, ['images', '-q', image], {
    encoding: 'utf8',
  });
  return status === 0 && stdout.trim() !== '';
}

// What a container sees of itself. Limits are where this machine's version of cgroups has them.
const demonstration = `
echo "  host name      $(hostname)"
echo "  process id     $$, of $(ls /proc | grep -c '^[0-9]') processes that it can see"
cd /sys/fs/cgroup
if [ -e memory.max ]; then
  echo "  memory limit   $(cat memory.max) bytes"
  echo "  CPU limit      $(cat cpu.max) microseconds"
  echo "  process limit  $(cat pids.max)"
else
  echo "  memory limit   $(cat memory/memory.limit_in_bytes) bytes"
  echo "  CPU limit      $(cat cpu/cpu.cfs_quota_us) of $(cat cpu/cpu.cfs_period_us) microseconds"
  echo "  process limit  $(cat pids/pids.max)"
fi
echo "  own root       $(ls / | tr '\\n' ' ')"
echo "  mounts         $(wc -l < /proc/mounts)"
echo "  network        $(ls /sys/class/net | tr '\\n' ' ')"
`;

const demonstrationOptions = ['--hostname', 'first-box', '--memory', '64m', '--cpus', '0.5'];

const farewell = `
Try next
  bin/teu run --rm -it ${image} sh          a shell in a container
  bin/teu run -d --name web ${image} sleep 1000
  bin/teu ps                                      then: exec, logs, stop, rm
  bin/teu run --rm --memory 64m ${image} sh -c 'head -c 200m /dev/zero | tail'
  bin/teu events --since 1 --until-now            what has happened so far
  bin/teu help
Stop with
  bin/teu down
`;

try {
  await setUp();
  process.stdout.write('\nengine\n');
  teu('up', '--detach');
  if (!hasImage()) teu('load', '-i', `${root}dist/images/busybox.tar`);
  process.stdout.write(
    `\nA container: bin/teu run --rm ${demonstrationOptions.join(' ')} --pids-limit 100 ${image} …\n`,
  );
  teu(
    'run',
    '--rm',
    ...demonstrationOptions,
    '--pids-limit',
    '100',
    image,
    'sh',
    '-c',
    demonstration,
  );
  process.stdout.write(farewell);
} catch (error) {
  process.exitCode = reportFailure(error);
}
