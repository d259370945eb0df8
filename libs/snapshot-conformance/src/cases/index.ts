import type { ConformanceCase } from '../conformance-case.js';
import { ATTRIBUTE_CASES } from './attribute-cases.js';
import { CHECK_CASES } from './check-cases.js';
import { CONCURRENCY_CASES } from './concurrency-cases.js';
import { CONTENT_CASES } from './content-cases.js';
import { EQUIVALENCE_CASES } from './equivalence-cases.js';
import { LABEL_CASES } from './label-cases.js';
import { LAYER_CASES } from './layer-cases.js';
import { LIFECYCLE_CASES } from './lifecycle-cases.js';
import { MERGE_CASES } from './merge-cases.js';
import { QUOTA_CASES } from './quota-cases.js';
import { REPARENT_CASES } from './reparent-cases.js';
import { REPLACE_CASES } from './replace-cases.js';
import { USAGE_CASES } from './usage-cases.js';

/** The whole contract. */
export const CONFORMANCE_CASES: readonly ConformanceCase[] = [
  ...LIFECYCLE_CASES,
  ...LABEL_CASES,
  ...CONTENT_CASES,
  ...LAYER_CASES,
  ...ATTRIBUTE_CASES,
  ...EQUIVALENCE_CASES,
  ...CONCURRENCY_CASES,
  ...USAGE_CASES,
  ...QUOTA_CASES,
  ...CHECK_CASES,
  ...REPARENT_CASES,
  ...MERGE_CASES,
  ...REPLACE_CASES,
];
