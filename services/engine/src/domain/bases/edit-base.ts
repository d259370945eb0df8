import { failpoint } from '@teu/failpoint';
import { parseSingleLine, randomId } from '@teu/ids';
import {
  BaseEdit,
  ContainerSpec,
  type EditBaseHeader,
  type EditBaseResponse,
} from '@teu/proto/engine';
import { Capability } from '@teu/proto/storage';
import type { PeerCredentials } from '@teu/rpc';
import type { ContainerEntry } from '../container-entry.js';
import type { EngineParts } from '../engine-parts.js';
import type { ResolvedImage } from '../image-cache.js';
import { refuse } from '../spec-validation.js';
import { EditSession } from './edit-session.js';
import { editContainerName } from './merge-edit.js';
import { listImages } from './standing.js';
import { compareSnapshots } from './tree-changes.js';

/** A message of an edit. */
export type EditPart = NonNullable<EditBaseResponse['part']>;

/** Who edits, and how they consent. */
export interface Editor {
  peer: PeerCredentials | undefined;
  /** Resolves when the client has decided. */
  consents: () => Promise<boolean>;
  signal: AbortSignal;
}

const REASON_LENGTH_MAX = 1000;
/** Paths that are kept on record. */
const PATHS_KEPT = 100;
const MERGING = 'change a committed layer in place';

/**
 * Changes the top layer of an image in place, for all that has it.
 * @throws INVALID_ARGUMENT, IMAGE_NOT_FOUND, FEATURE_UNSUPPORTED if the driver can't; whatever keeps a container from running
 */
export async function* editBase(
  parts: EngineParts,
  header: EditBaseHeader,
  { peer, consents, signal }: Editor,
): AsyncGenerator<EditPart, void, undefined> {
  const image = await requireEditable(parts, header);
  const edit = BaseEdit.create({
    ...{ id: randomId(), imageId: image.image.id, reference: header.image },
    ...{ driver: image.driver, chainId: image.snapshot },
    ...{ reason: header.reason, args: header.args },
    ...(peer === undefined ? {} : { userId: peer.uid, processId: peer.pid }),
  });
  const session = new EditSession(parts, edit);
  try {
    const entry = await session.run(specOf(header, edit), signal);
    yield { $case: 'containerId', value: entry.id };
    for await (const value of session.output(signal)) yield { $case: 'record', value };
    const exit = await session.exit(signal);
    yield { $case: 'exit', value: exit };
    failpoint('engine.edit.after-program');
    if (exit.exitCode !== 0) return;
    yield* propose(parts, edit, entry, signal);
    const isOver = edit.changeCount === 0 || header.dryRun;
    if (isOver || !(header.hasConsent || (await consents()))) return;
    yield { $case: 'edit', value: await session.merge(exit) };
  } finally {
    await session.close();
  }
}

async function requireEditable(
  parts: EngineParts,
  { image, driver: asked, reason, args }: EditBaseHeader,
): Promise<ResolvedImage> {
  if (reason === '') refuse('header.reason', 'is missing');
  parseSingleLine(reason, 'header.reason', REASON_LENGTH_MAX);
  if (args.length === 0) refuse('header.args', 'are empty');
  const driver = asked || parts.drivers.defaultName;
  const client = parts.drivers.forNew(driver);
  await client.require(Capability.CAPABILITY_MERGE_INTO_PARENT, MERGING);
  return parts.images.ask(image, driver);
}

function specOf(header: EditBaseHeader, edit: BaseEdit): ContainerSpec {
  return ContainerSpec.create({
    image: edit.imageId,
    name: editContainerName(edit.id),
    entrypoint: { values: header.args },
    env: header.env,
    workingDir: header.workingDir,
    user: header.user,
    network: header.network,
    driver: edit.driver,
    labels: { 'teu.base-edit': edit.id },
  });
}

/** Tells what would change, and takes note of it. */
async function* propose(
  parts: EngineParts,
  edit: BaseEdit,
  entry: ContainerEntry,
  signal: AbortSignal,
): AsyncGenerator<EditPart, void, undefined> {
  // Nothing of it may write any more.
  await parts.teardown.settle(entry.id);
  const comparison = {
    driver: edit.driver,
    from: edit.chainId,
    to: entry.container.snapshotKey,
  };
  for await (const changes of compareSnapshots(parts.peers, comparison, signal)) {
    edit.changeCount += changes.length;
    const room = PATHS_KEPT - edit.paths.length;
    edit.paths.push(...changes.slice(0, room).map(({ path }) => path));
    yield { $case: 'changes', value: { changes, error: '' } };
  }
  edit.containerCount = await countUsers(parts, edit, entry);
  const { changeCount, containerCount } = edit;
  yield { $case: 'proposal', value: { changeCount, containerCount } };
}

/** Containers on the driver whose image has the layer. */
async function countUsers(
  { peers, registry }: EngineParts,
  { driver, chainId }: BaseEdit,
  own: ContainerEntry,
): Promise<number> {
  const images = await listImages(peers);
  const having = images.filter(({ layers }) => layers.some((layer) => layer.chainId === chainId));
  const ids = new Set(having.map(({ id }) => id));
  return registry
    .onDriver(driver)
    .filter((entry) => entry !== own && ids.has(entry.container.imageId)).length;
}
