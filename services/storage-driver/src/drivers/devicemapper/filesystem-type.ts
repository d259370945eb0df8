/** What volumes can hold. */
export const FILESYSTEM_TYPES = ['ext4', 'xfs'] as const;
export type FilesystemType = (typeof FILESYSTEM_TYPES)[number];

/** Of one that is written to. The kernel shares a mount of the same device whatever its options are. */
const WRITABLE: Readonly<Record<FilesystemType, readonly string[]>> = {
  // Tables of inodes are zero where the pool has no block for them, so nothing has to make them so.
  ext4: ['rw', 'discard', 'noinit_itable'],
  xfs: ['rw', 'discard', 'nouuid'],
};
const READ_ONLY: Readonly<Record<FilesystemType, readonly string[]>> = {
  ext4: ['ro', 'noinit_itable'],
  xfs: ['ro', 'nouuid'],
};

/** Options of mount(8) for a volume. */
export function mountOptions(type: FilesystemType, isWritable: boolean): string[] {
  return [...(isWritable ? WRITABLE : READ_ONLY)[type]];
}
