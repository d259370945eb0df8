import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Capability } from '@teu/proto/storage';

const README = fileURLToPath(new URL('../../README.md', import.meta.url));
const HEADING = '## What each driver promises';

/** Rows that say whether a driver declares a capability: "yes", or something else. */
export const CAPABILITY_ROWS: Readonly<Record<string, Capability>> = {
  'containers of an image share its disk': Capability.CAPABILITY_SHARED_DISK,
  'containers of an image share its page cache': Capability.CAPABILITY_SHARED_PAGE_CACHE,
  'size limit for a container': Capability.CAPABILITY_QUOTA,
  'upgrade of a base without copying': Capability.CAPABILITY_REPARENT,
  'upgrade of a base under running containers': Capability.CAPABILITY_LIVE_REPARENT,
  'base changed in place': Capability.CAPABILITY_MERGE_INTO_PARENT,
  'damaged layer replaced under containers': Capability.CAPABILITY_REPLACE,
  'parent chosen at commit': Capability.CAPABILITY_REBASE,
  'extended attributes and ACLs of every kind': Capability.CAPABILITY_XATTRS,
  'owners and times to the last digit': Capability.CAPABILITY_EXACT_ATTRIBUTES,
  'names of one file stay one across layers': Capability.CAPABILITY_HARD_LINKS_ACROSS_LAYERS,
  'every name that Linux allows': Capability.CAPABILITY_ALL_NAMES,
  'check and repair': Capability.CAPABILITY_CHECK,
};

/** Row that says what the first byte written to a file of an image costs. */
export const GRAIN_ROW = 'first write to a file of the image copies';
/** Row that says how many layers fit on each other. */
export const LAYERS_ROW = 'layers';

/** What the README says of one driver: row to cell. @throws if it does not know the driver */
export function promisesOf(driver: string): ReadonlyMap<string, string> {
  const text = readFileSync(README, 'utf8');
  const section = text.slice(text.indexOf(HEADING)).split('\n## ', 2).join('\n');
  const rows = section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const column = rows[0]?.indexOf(driver) ?? -1;
  if (column < 1) throw new Error(`the README has no column for ${driver}`);
  return new Map(rows.map((cells) => [cells[0] ?? '', cells[column] ?? '']));
}
