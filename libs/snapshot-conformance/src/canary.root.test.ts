import { silentLogger } from '@teu/log';
import { Capability } from '@teu/proto/storage';
import { connect, startRpcServer } from '@teu/rpc';
import { requires, tempDir } from '@teu/testing';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CONFORMANCE_CASES } from './cases/index.js';
import { readTraits } from './driver-traits.js';
import { runConformance } from './run-conformance.js';
import { SnapshotsClient } from './snapshots-client.js';
import { CarelessDriver, type Fault } from './testing/careless-driver.js';
import { TreeProgram } from './tree-program.js';

/** What finds each fault. */
const FAULTS: readonly (readonly [Fault, readonly string[]])[] = [
  ['children write to their parent', ['siblings-are-apart', 'whiteouts', 'random-layers']],
  ['views can be written to', ['view-is-read-only']],
  ['hard links become copies', ['hard-links', 'random-layers']],
  ['attributes are lost', ['xattrs', 'file-capabilities', 'random-layers']],
  ['a key can be taken twice', ['key-taken', 'one-of-the-same-key-wins']],
  ['a parent can be removed', ['remove-with-children', 'remove-intermediate']],
  ['changes are lost at commit', ['basic', 'opaque-directories', 'random-layers']],
];

/** Cases that say something about a fault; a good driver passes all of them. */
const CASES = [...new Set(FAULTS.flatMap(([, names]) => names))];

const TIMEOUT = { timeout: 60_000 };

describe.runIf(requires('root', 'python3'))('the contract', () => {
  it('is kept by a driver that copies well', TIMEOUT, async () => {
    expect(await failuresWith([], CASES)).toEqual({});
  });

  it.each(FAULTS)('finds out when %s', TIMEOUT, async (fault, names) => {
    expect(Object.keys(await failuresWith([fault], names))).toEqual(names);
  });
});

/** Names of the cases that fail, with the reasons. */
async function failuresWith(
  faults: readonly Fault[],
  names: readonly string[],
): Promise<Record<string, string>> {
  using directory = tempDir();
  const server = await startRpcServer({
    name: 'careless',
    version: '0',
    address: `unix:${join(directory.path, 's')}`,
    services: [new CarelessDriver(directory.path, faults).implement()],
    log: silentLogger,
  });
  const channel = connect(server.address);
  const tree = new TreeProgram();
  const declared = { capabilities: [Capability.CAPABILITY_XATTRS] };
  const target = {
    channel,
    snapshots: new SnapshotsClient(channel, ''),
    traits: await readTraits(channel, declared),
    tree,
    random: { seed: 'canary', stacks: 2 },
    keyPrefix: '',
  };
  const cases = names.flatMap((name) => CONFORMANCE_CASES.filter((each) => each.name === name));
  const failures: Record<string, string> = {};
  for await (const result of runConformance(target, cases)) {
    if (result.outcome !== 'ok') failures[result.name] = result.reason;
  }
  channel.close();
  await tree.close();
  await server.close();
  return failures;
}
