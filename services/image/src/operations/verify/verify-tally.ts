import { DamageAction, type VerifyProgress, type VerifySummary } from '@teu/proto/image';

const MENDED: ReadonlySet<DamageAction> = new Set([
  DamageAction.DAMAGE_ACTION_REBUILT,
  DamageAction.DAMAGE_ACTION_REPULLED,
  DamageAction.DAMAGE_ACTION_REMOVED,
]);

/** Counts what a verification goes through. */
export class VerifyTally {
  readonly #imageCount: number;
  readonly #skipped = new Set<string>();
  totalBytes = 0;
  totalLayers = 0;
  #blobCount = 0;
  #blobBytes = 0;
  #layerCount = 0;
  #damageCount = 0;
  #remainingCount = 0;

  constructor(imageCount: number) {
    this.#imageCount = imageCount;
  }

  countBlob(bytes: number): void {
    this.#blobCount += 1;
    this.#blobBytes += bytes;
  }

  countLayer(): void {
    this.#layerCount += 1;
  }

  countDamage(action: DamageAction): void {
    this.#damageCount += 1;
    if (!MENDED.has(action)) this.#remainingCount += 1;
  }

  /** Layers of a driver are not looked at. */
  skip(driver: string): void {
    this.#skipped.add(driver);
  }

  progress(): VerifyProgress {
    return {
      currentBytes: this.#blobBytes,
      totalBytes: this.totalBytes,
      currentLayers: this.#layerCount,
      totalLayers: this.totalLayers,
    };
  }

  summary(): VerifySummary {
    return {
      imageCount: this.#imageCount,
      blobCount: this.#blobCount,
      blobBytes: this.#blobBytes,
      layerCount: this.#layerCount,
      damageCount: this.#damageCount,
      remainingCount: this.#remainingCount,
      skippedDrivers: [...this.#skipped].sort(),
    };
  }
}
