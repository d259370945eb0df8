import { oci } from '../hostile-archive.js';
import { harmless, refused, type HostileCase } from '../hostile-case.js';
import { dir, file, tar, type TarPart } from '../hostile-tar.js';

const attribute = (key: string, value: string | Buffer): TarPart => ({
  ...file('f'),
  pax: [[`SCHILY.xattr.${key}`, value]],
});
const one = (part: TarPart) => () => oci([tar(part)]);

/** Attributes and devices that mean something to a file system or to the kernel. */
export const attributeCases: readonly HostileCase[] = [
  ...[
    'trusted.overlay.redirect',
    'trusted.overlay.opaque',
    'trusted.overlay.metacopy',
    'trusted.overlay.origin',
    'trusted.anything',
    'user.overlay.whiteout',
    'user.overlay.redirect',
    'security.selinux',
    'security.ima',
    'security.apparmor',
    'system.posix_acl_access',
    'system.posix_acl_default',
    'btrfs.compression',
    '',
    'noname',
  ].map((key) =>
    refused(`the attribute "${key}"`, one(attribute(key, '/secret')), {
      ...{ reason: 'LAYER_INVALID', code: 'RESERVED_ATTRIBUTE', entry: 'f' },
    }),
  ),
  refused('a capability that is none', one(attribute('security.capability', 'x')), {
    ...{ reason: 'LAYER_INVALID', code: 'RESERVED_ATTRIBUTE', entry: 'f' },
  }),
  refused('an attribute of 1 MiB', one(attribute('user.large', 'v'.repeat(2 ** 20 - 200))), {
    ...{ reason: 'LAYER_TOO_LARGE', code: 'LIMIT_EXCEEDED', entry: 'f' },
  }),
  refused(
    'attributes without number',
    one({
      ...file('f'),
      pax: Array.from({ length: 5000 }, (_, at) => [`SCHILY.xattr.user.k${at}`, 'v'] as const),
    }),
    { reason: 'LAYER_TOO_LARGE', code: 'LIMIT_EXCEEDED', entry: 'f' },
  ),
  refused('the kernel’s own whiteout', one({ name: 'w', type: '3' }), {
    ...{ reason: 'LAYER_INVALID', code: 'RESERVED_DEVICE', entry: 'w' },
  }),
  refused(
    'the kernel’s own whiteout over a lower layer’s directory',
    () => oci([tar(dir('etc'), file('etc/kept')), tar({ name: 'etc', type: '3' })]),
    { reason: 'LAYER_INVALID', code: 'RESERVED_DEVICE', entry: 'etc' },
  ),
  harmless('an attribute of a user', one(attribute('user.fine', 'fine')), 'cat f', 'x'),
];
