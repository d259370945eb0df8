import type { ConformanceCase } from './conformance-case.js';
import { CONTENT_CASES } from './content-cases.js';
import { LABEL_CASES } from './label-cases.js';
import { LIFECYCLE_CASES } from './lifecycle-cases.js';

/** The whole contract. */
export const CONFORMANCE_CASES: readonly ConformanceCase[] = [
  ...LIFECYCLE_CASES,
  ...LABEL_CASES,
  ...CONTENT_CASES,
];
