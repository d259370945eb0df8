import { UsageServiceService } from '@teu/proto/cgroup';
import { implement, type Implementation } from '@teu/rpc';
import type { CgroupParts } from '../cgroup-parts.js';
import { listUsage } from './list-usage.js';
import { recordRun } from './record-run.js';
import { summarizeUsage } from './summarize-usage.js';
import { watchUsage } from './watch-usage.js';

/** The methods of the usage ledger. */
export function implementUsageService(parts: CgroupParts): Implementation {
  return implement(UsageServiceService, {
    recordRun: (request) => recordRun(parts, request),
    listUsage: (request) => listUsage(parts, request),
    summarizeUsage: (request) => summarizeUsage(parts, request),
    watchUsage: (request, context) => watchUsage(parts, request, context),
  });
}
