import { busyboxImageTar, debianRootfsTar, startTeu, type StartTeuOptions } from '@teu/testing';

/** An engine of its own for a test file, with the images loaded that it asks for. */
export async function startEngine(
  images: readonly ('busybox' | 'debian')[] = ['busybox'],
  options: StartTeuOptions = {},
) {
  const teu = await startTeu(options);
  for (const image of images) {
    const args =
      image === 'busybox'
        ? ['load', '-i', await busyboxImageTar()]
        : ['load', '-i', await debianRootfsTar(), '--name', 'debian:bookworm'];
    const loaded = await teu.teu(args, { timeoutMs: 120_000 });
    if (loaded.code !== 0) throw new Error(`loading ${image}: ${loaded.stderr}`);
  }
  return teu;
}

/** What startEngine returns. */
export type Engine = Awaited<ReturnType<typeof startEngine>>;

/** Runs a command that must succeed and returns what it printed, without the last line break. */
export async function output(engine: Engine, ...args: string[]): Promise<string> {
  const result = await engine.teu(args);
  if (result.code !== 0) {
    throw new Error(`teu ${args.join(' ')}: exit ${String(result.code)}: ${result.stderr}`);
  }
  return result.stdout.trimEnd();
}
