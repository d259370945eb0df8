import { release } from 'node:os';
import { kernelFeatures } from '@teu/native';
import type { GetFeaturesResponse } from '@teu/proto/executor';

export async function handleGetFeatures(): Promise<GetFeaturesResponse> {
  const probed = Object.entries(kernelFeatures());
  const names = (present: boolean) =>
    probed.filter(([, isPresent]) => isPresent === present).map(([name]) => snakeCase(name));
  return { kernelRelease: release(), features: names(true), missingFeatures: names(false) };
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
