import { teuError, type TeuError } from '@teu/errors';

/**
 * A part of a spec that can't be carried out.
 * @param field path in the request, for example `spec.process.rlimits[2].type`
 * @param problem how it is wrong, to follow the path: "is not a known limit". Never the value: it may be anything.
 */
export function specError(field: string, problem: string): TeuError {
  return teuError('INVALID_SPEC', `${field} ${problem}`, { metadata: { field } });
}
