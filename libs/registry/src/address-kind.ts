import { BlockList, isIPv6 } from 'node:net';

/** What kind of place an address is, as seen from here. */
export type AddressKind = 'public' | 'private' | 'loopback' | 'link-local' | 'unusable';

type Range = readonly [address: string, prefix: number];

// IANA's registries of special-purpose addresses; shared and translated ones count as private.
const RANGES: Readonly<Record<Exclude<AddressKind, 'public'>, readonly Range[]>> = {
  loopback: [
    ['127.0.0.0', 8],
    ['::1', 128],
  ],
  'link-local': [
    ['169.254.0.0', 16],
    ['fe80::', 10],
  ],
  private: [
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['64:ff9b::', 96],
    ['fc00::', 7],
  ],
  unusable: [
    ['0.0.0.0', 8],
    ['224.0.0.0', 3],
    ['::', 128],
    ['ff00::', 8],
  ],
};

const lists = Object.entries(RANGES).map(([kind, ranges]) => {
  const list = new BlockList();
  for (const [address, prefix] of ranges) list.addSubnet(address, prefix, familyOf(address));
  return { kind: kind as AddressKind, list };
});

/** Tells what kind of place an IP address is. An IPv4 address in an IPv6 one counts as what it is. */
export function kindOfAddress(address: string): AddressKind {
  return lists.find(({ list }) => list.check(address, familyOf(address)))?.kind ?? 'public';
}

/**
 * Whether somebody at an address may send us to another: to public places anybody, to private ones only somebody who is
 * in one, to this machine and its link only somebody who is at this very address.
 */
export function maySendTo(target: string, sender: string | undefined): boolean {
  const kind = kindOfAddress(target);
  if (kind === 'public') return true;
  if (kind === 'unusable' || sender === undefined) return false;
  if (plain(target) === plain(sender)) return true;
  return kind === 'private' && kindOfAddress(sender) !== 'public';
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}

function plain(address: string): string {
  return address.toLowerCase().replace(/^::ffff:/, '');
}
