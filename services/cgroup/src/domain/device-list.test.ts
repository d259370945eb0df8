import { describe, expect, it } from 'vitest';
import { DEFAULT_DEVICES } from './default-devices.js';
import { deviceListOf, InexpressibleRule } from './device-list.js';
import { formatDevices, parseDeviceRules, type DeviceRule } from './device-rule.js';

/** Reads "+c 1:3 rwm" and "-a *:* rwm". */
function rule(text: string): DeviceRule {
  const [, sign, type, major, minor, access = ''] =
    /^([+-])([abc]) (\d+|\*):(\d+|\*) ([rwm]+)$/.exec(text) ?? [];
  const number = (digits?: string) => (digits === '*' ? undefined : Number(digits));
  return {
    allow: sign === '+',
    type: type as DeviceRule['type'],
    major: number(major),
    minor: number(minor),
    access,
  };
}

const listOf = (...texts: string[]) => {
  const { allowsOthers, entries } = deviceListOf(texts.map(rule));
  return [allowsOthers ? 'all but' : 'only', ...entries.map(formatDevices)];
};

describe('a list of version 1', () => {
  it.each([
    [[], ['only']],
    [
      ['+c 1:3 r', '+c 1:3 w'],
      ['only', 'c 1:3 rw'],
    ],
    [
      ['+c 1:3 rwm', '-c 1:* m'],
      ['only', 'c 1:3 rw'],
    ],
    [
      ['+c 1:3 rwm', '-c 1:* rwm', '+c 1:5 r'],
      ['only', 'c 1:5 r'],
    ],
    [
      ['+c 1:3 rwm', '-b 1:3 rwm'],
      ['only', 'c 1:3 rwm'],
    ],
    [
      ['+a 10:* r', '-c *:* r'],
      ['only', 'b 10:* r'],
    ],
    [
      ['+c 1:3 rwm', '+a *:* rwm', '-c 10:200 w'],
      ['all but', 'c 10:200 w'],
    ],
    [
      ['+a *:* rwm', '-c 10:200 rwm', '+c 10:* r'],
      ['all but', 'c 10:200 wm'],
    ],
    [
      ['+a *:* rwm', '-a *:* rwm', '+c 1:3 r'],
      ['only', 'c 1:3 r'],
    ],
  ])('%j is %j', (rules, list) => {
    expect(listOf(...rules)).toEqual(list);
  });

  it('cannot leave a part out of an entry', () => {
    expect(() => listOf('+c 10:* rwm', '-c 10:200 w')).toThrow(InexpressibleRule);
    expect(() => listOf('+a *:* rwm', '-c 10:* w', '+c 10:200 w')).toThrow(InexpressibleRule);
    expect(listOf('+c 10:* r', '-c 10:200 w')).toEqual(['only', 'c 10:* r']);
  });

  it('of the default devices has just these', () => {
    expect(deviceListOf(DEFAULT_DEVICES)).toEqual({
      allowsOthers: false,
      entries: DEFAULT_DEVICES,
    });
  });
});

describe('rules of a request', () => {
  const right = { allow: true, type: 'c', access: 'mr' };

  it('are put in order', () => {
    expect(parseDeviceRules([right])).toEqual([
      { allow: true, type: 'c', major: undefined, minor: undefined, access: 'rm' },
    ]);
  });

  it.each([
    [{ type: 'x' }, 'resources.devices[0] has the type "x"'],
    [{ access: 'rr' }, 'resources.devices[0] has the access "rr"'],
    [{ access: '' }, 'resources.devices[0] has the access ""'],
    [{ major: 4096 }, 'resources.devices[0].major is 4096'],
    [{ minor: -1 }, 'resources.devices[0].minor is -1'],
  ])('%j is refused', (wrong, message) => {
    expect(() => parseDeviceRules([{ ...right, ...wrong }])).toThrow(message);
  });
});
