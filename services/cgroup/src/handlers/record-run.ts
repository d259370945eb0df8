import type { RecordRunRequest, RecordRunResponse } from '@teu/proto/cgroup';
import type { CgroupParts } from '../cgroup-parts.js';
import { parseRun } from '../ledger/parse-run.js';

export async function recordRun(
  { ledger }: CgroupParts,
  request: RecordRunRequest,
): Promise<RecordRunResponse> {
  ledger.record(parseRun(request.run));
  return {};
}
