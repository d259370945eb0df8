export { REASONS, isReason, type Reason, type ReasonEntry } from './reasons.js';
export { STATUS_CODES, statusName, type StatusName } from './status.js';
export {
  TeuError,
  internalError,
  isTeuError,
  teuError,
  type TeuErrorOptions,
} from './teu-error.js';
export { formatErrorChain } from './chain.js';
