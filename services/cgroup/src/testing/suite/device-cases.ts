import { expect, it } from 'vitest';
import type { GroupProbe } from './group-probe.js';

/** Tries device nodes that it makes: prints "MAJOR:MINOR 0" where making and opening one works. */
const TRY_DEVICES = `cd $(mktemp -d) && d() { mknod n c $1 $2 2>&- && (: < n) 2>&-; echo $1:$2 $?; rm -f n; };
  d 1 3; d 1 5; d 1 7; d 1 8; d 1 9; d 1 1; d 1 11; d 10 200; d 10 229; d 4 64;
  mknod w c 0 0; echo whiteout $?; mknod b b 7 0 2>&-; echo loop $?; rm -rf "$PWD"`;

/** Which device nodes may be used. */
export function describeDevices(probe: () => GroupProbe): void {
  it('lets a container use the usual devices and no others', async ({ skip }) => {
    if (!probe().has('devices')) skip();
    const cgroup = await probe().create();
    const { output } = await probe().run(cgroup, TRY_DEVICES).ended;
    const allowed = output.split('\n').filter((line) => line.endsWith(' 0'));
    expect(allowed).toEqual(['1:3 0', '1:5 0', '1:7 0', '1:8 0', '1:9 0', 'whiteout 0']);
    expect(output.split('\n')).toHaveLength(13);
  });
}
