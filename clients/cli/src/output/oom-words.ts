import { OomLimit, OomScope, type OomKill } from '@teu/proto/type';
import { memorySize } from './for-people.js';

/** A kill for want of memory in words: what was killed, what it held, whose limit it was. */
export function oomWords(kill: OomKill): string {
  if (kill.scope === OomScope.OOM_SCOPE_UNSPECIFIED) {
    return 'killed for want of memory; the kernel did not say why';
  }
  const held = memorySize(kill.anonymousBytes + kill.fileBytes + kill.sharedBytes);
  const process = `${kill.processName} (pid ${String(kill.pid)})`;
  return `killed for want of memory: ${process} held ${held}; ${limitWords(kill)}`;
}

/** Whose limit was reached, and which: "limit 16 MiB of the container". */
export function limitWords(kill: OomKill): string {
  if (kill.scope === OomScope.OOM_SCOPE_HOST) return 'the memory of the host was used up';
  const size = kill.limitBytes === 0 ? '' : ` ${memorySize(kill.limitBytes)}`;
  const isBoth = kill.limit === OomLimit.OOM_LIMIT_MEMORY_AND_SWAP;
  return `limit${size}${isBoth ? ' of memory and swap' : ''} of ${ownerWords(kill)}`;
}

function ownerWords({ scope, group }: OomKill): string {
  switch (scope) {
    case OomScope.OOM_SCOPE_GROUP:
      // A path with a slash before is none of the engine's groups.
      return group.startsWith('/') ? `the cgroup ${group} above it` : `group ${group}`;
    case OomScope.OOM_SCOPE_NESTED:
      return `the cgroup ${group} that the container made`;
    default:
      return 'the container';
  }
}
