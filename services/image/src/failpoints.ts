/** Every failpoint of this service: the states in which a crash is tested. */
export const IMAGE_FAILPOINTS = [
  'image.load.after-intent',
  'image.load.after-layers',
  'image.load.after-documents',
  'image.load.before-commit',
  'image.load.after-commit',
  'image.extract.after-intent',
  'image.extract.after-prepare',
  'image.extract.after-apply',
  'image.extract.after-commit',
  'image.remove.after-intent',
  'image.remove.after-snapshots',
  'image.remove.after-commit',
] as const;
