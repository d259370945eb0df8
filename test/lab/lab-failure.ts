/** Why a machine could not be set up, or has died, in words for people. */
export class LabFailure extends Error {
  override readonly name = 'LabFailure';
}
