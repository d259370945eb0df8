/** Magic numbers of statfs(2), from linux/magic.h and the file systems' own headers. */
const NAMES: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x01021994: 'tmpfs',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x2fc12fc1: 'zfs',
  0x794c7630: 'overlay',
  0xf2f52010: 'f2fs',
  0x6969: 'nfs',
  0xff534d42: 'cifs',
  0x65735546: 'fuse',
  0x4d44: 'msdos',
  0x61756673: 'aufs',
  0x01021997: '9p',
  0xca451a4e: 'bcachefs',
  0x52654973: 'reiserfs',
};

/** Names a file system by the type that statfs(2) gives; the number in hexadecimal if unknown. */
export function filesystemName(type: number): string {
  const unsigned = type >>> 0;
  return NAMES[unsigned] ?? `0x${unsigned.toString(16)}`;
}
