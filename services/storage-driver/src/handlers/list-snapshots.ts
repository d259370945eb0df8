import type { Info, ListSnapshotsRequest, ListSnapshotsResponse } from '@teu/proto/snapshots';
import { allRecords, infoOf, parseFilters, type SnapshotContext } from '@teu/snapshots';

/** Snapshots in one message; with labels of a few hundred bytes that is far below the limit of 4 MiB. */
const CHUNK = 100;

export async function* listSnapshots(
  context: SnapshotContext,
  { filters }: ListSnapshotsRequest,
): AsyncGenerator<ListSnapshotsResponse> {
  const matches = parseFilters(filters);
  let chunk: Info[] = [];
  for (const record of allRecords(context)) {
    const info = infoOf(record);
    if (!matches(info)) continue;
    chunk.push(info);
    if (chunk.length < CHUNK) continue;
    yield { info: chunk };
    chunk = [];
  }
  if (chunk.length > 0) yield { info: chunk };
}
