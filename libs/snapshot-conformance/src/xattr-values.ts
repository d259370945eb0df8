/**
 * Value of "security.capability" in hexadecimal: one capability, permitted and effective, as
 * linux/capability.h lays it out.
 *
 * @param number - Of the capability, below 32.
 */
export function capability(number: number): string {
  const [REVISION_2, EFFECTIVE] = [0x0200_0000, 1];
  const bytes = Buffer.alloc(20);
  bytes.writeUInt32LE(REVISION_2 | EFFECTIVE, 0);
  bytes.writeUInt32LE((1 << number) >>> 0, 4);
  return bytes.toString('hex');
}

/**
 * Value of "system.posix_acl_access" in hexadecimal: "this user may read and write too", as
 * linux/posix_acl_xattr.h lays it out.
 */
export function acl(user: number): string {
  const NOBODY = 0xffff_ffff;
  const entries = [
    [0x01, 6, NOBODY],
    [0x02, 6, user],
    [0x04, 4, NOBODY],
    [0x10, 6, NOBODY],
    [0x20, 4, NOBODY],
  ] as const;
  const bytes = Buffer.alloc(4 + entries.length * 8);
  bytes.writeUInt32LE(2, 0);
  for (const [index, [tag, permissions, id]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 4 + index * 8);
    bytes.writeUInt16LE(permissions, 6 + index * 8);
    bytes.writeUInt32LE(id, 8 + index * 8);
  }
  return bytes.toString('hex');
}
