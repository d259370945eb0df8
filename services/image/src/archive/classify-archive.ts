import { teuError } from '@teu/errors';
import { tarMembers, type ReadAt, type TarMember } from './tar-members.js';

/** What a tar holds. "unknown" only if not all of it could be seen. */
export type TarContent =
  | { kind: 'oci' | 'docker'; members: ReadonlyMap<string, TarMember> }
  | { kind: 'rootfs' | 'unknown' };

// The directories of a root file system (FHS 3.0); none of them is ever at the top of an archive of images.
const ROOTFS_NAME =
  /^(?:bin|boot|dev|etc|home|lib(?:32|64|x32)?|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var)(?:\/|$)/;
const MEMBER_COUNT_MAX = 16_384;

/**
 * Finds out what a tar is, by the names in it. Stops at the first name that decides; of an archive of
 * images it gives all members. `isWhole` says whether `read` reaches the end of the tar.
 * @throws ARCHIVE_INVALID
 */
export async function classifyTar(read: ReadAt, isWhole: boolean): Promise<TarContent> {
  const members = new Map<string, TarMember>();
  for await (const member of tarMembers(read)) {
    if (ROOTFS_NAME.test(member.name)) return { kind: 'rootfs' };
    if (members.size >= MEMBER_COUNT_MAX) return { kind: 'rootfs' };
    if (member.kind === 'file' && members.get(member.name)?.kind === 'file') {
      throw teuError('ARCHIVE_INVALID', 'the archive has a member twice', {
        metadata: { member: member.name.slice(0, 256) },
      });
    }
    members.set(member.name, member);
  }
  if (!isWhole) return { kind: 'unknown' };
  if (members.get('oci-layout')?.kind === 'file') return { kind: 'oci', members };
  if (members.get('manifest.json')?.kind === 'file') return { kind: 'docker', members };
  if (members.has('repositories')) {
    throw teuError('IMAGE_UNSUPPORTED', 'the archive is of docker before 1.10: it has no manifest');
  }
  if (members.size === 0) throw teuError('ARCHIVE_INVALID', 'the archive is empty');
  return { kind: 'rootfs' };
}
