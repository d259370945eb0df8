import type { Cgroup } from '@teu/proto/cgroup';
import { expect, it } from 'vitest';
import type { GroupProbe } from './group-probe.js';

/** Tries device nodes that it makes: prints "MAJOR:MINOR 0" where making and opening one works. */
const TRY_DEVICES = `cd $(mktemp -d) && d() { mknod n c $1 $2 2>&- && (: < n) 2>&-; echo $1:$2 $?; rm -f n; };
  d 1 3; d 1 5; d 1 7; d 1 8; d 1 9; d 1 1; d 1 11; d 10 200; d 10 229; d 4 64;
  mknod w c 0 0; echo whiteout $?; mknod b b 7 0 2>&-; echo loop $?; rm -rf "$PWD"`;

/** Which device nodes may be used. */
export function describeDevices(probe: () => GroupProbe): void {
  it('lets a container use the usual devices and no others', async () => {
    const cgroup = await probe().create();
    const { output } = await probe().run(cgroup, TRY_DEVICES).ended;
    const allowed = output.split('\n').filter((line) => line.endsWith(' 0'));
    expect(allowed).toEqual(['1:3 0', '1:5 0', '1:7 0', '1:8 0', '1:9 0', 'whiteout 0']);
    expect(output.split('\n')).toHaveLength(13);
  });

  const rule = (text: string) => {
    const [, sign, type = '', major, minor, access = ''] = /^(.)(.) (\d+):(\d+|\*) (.*)$/.exec(
      text,
    )!;
    return {
      allow: sign === '+',
      type,
      major: Number(major),
      minor: minor === '*' ? undefined : Number(minor),
      access,
    };
  };
  const allowedOf = async (cgroup: Cgroup): Promise<string[]> => {
    const { output } = await probe().run(cgroup, TRY_DEVICES).ended;
    return output.split('\n').flatMap((line) => (/ 0$/.test(line) ? [line.slice(0, -2)] : []));
  };
  const USUAL = ['1:3', '1:5', '1:7', '1:8', '1:9'];

  it('lets it use what rules allow beyond, and not what they deny', async () => {
    const devices = ['+c 1:11 rwm', '-c 1:9 rwm', '-c 1:8 r'].map(rule);
    const cgroup = await probe().create({ devices });
    const wanted = ['1:3', '1:5', '1:7', '1:11', 'whiteout'];
    expect(await allowedOf(cgroup)).toEqual(wanted);
    const other = await probe().create();
    expect(await allowedOf(other)).toEqual([...USUAL, 'whiteout']);
    await probe().update(cgroup.id, { devices: [rule('+c 1:11 m')] });
    expect(await allowedOf(cgroup)).toEqual([...USUAL, 'whiteout']);
    await probe().update(cgroup.id, { devices: [rule('+b 7:* rwm'), rule('+c 10:* m')] });
    expect(await allowedOf(cgroup)).toEqual([...USUAL, 'whiteout', 'loop']);
  });

  it('can be let use everything, but for something', async () => {
    const all = { allow: true, type: 'a', access: 'rwm' };
    const cgroup = await probe().create({ devices: [all, rule('-c 1:11 rwm'), rule('-c 1:5 w')] });
    const allowed = await allowedOf(cgroup);
    expect(allowed).toEqual(expect.arrayContaining([...USUAL, 'whiteout', 'loop']));
    expect(allowed).not.toContain('1:11');
    const write = probe().run(cgroup, '(: > /dev/zero) || echo no');
    expect((await write.ended).output).toBe('no\n');
  });

  it('refuses rules that are none', async () => {
    const devices = [{ allow: true, type: 'd', access: 'r' }];
    await expect(probe().create({ devices })).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
      metadata: { field: 'resources.devices[0]' },
    });
  });
}
