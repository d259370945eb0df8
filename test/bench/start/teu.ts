import { EngineServiceService, RunContainerRequest, type StartTrace } from '@teu/proto/engine';
import { startTeu } from '@teu/testing';
import type { Contender } from './contender.js';
import { runToEnd } from '../harness/process.js';

/** TEU through gRPC from a resident client, and through its command as a whole process. */
export async function teu(
  rootfsTar: string,
): Promise<{ contenders: Contender[]; traces: StartTrace[]; close: () => Promise<void> }> {
  const engine = await startTeu();
  const loaded = await engine.teu(['load', '-i', rootfsTar, '--name', 'debian:bench'], {
    timeoutMs: 300_000,
  });
  if (loaded.code !== 0) throw new Error(loaded.stderr);
  const channel = engine.channel('engine');
  const traces: StartTrace[] = [];
  const environment = {
    ...process.env,
    TEU_RUN_DIR: engine.runDir,
    TEU_DATA_DIR: engine.dataDir,
  };

  const runByGrpc = async () => {
    const answer = await channel.unary(
      EngineServiceService.runContainer,
      RunContainerRequest.create({
        spec: { image: 'debian:bench', args: ['true'], autoRemove: true },
        wait: true,
      }),
      { timeoutMs: 30_000 },
    );
    if (answer.container?.exit?.exitCode !== 0) throw new Error('the container failed');
    if (answer.container.startTrace) traces.push(answer.container.startTrace);
  };

  const contenders: Contender[] = [
    {
      name: 'teu grpc',
      how: 'RunContainer{wait} from a resident client',
      run: runByGrpc,
      close: async () => undefined,
    },
    {
      name: 'teu',
      how: 'teu run --rm',
      run: () => runToEnd(engine.bin, ['run', '--rm', 'debian:bench', 'true'], environment),
      idlePids: () => engine.idlePids(),
      supervisorPids: async () => {
        const started = await engine.teu([
          'run',
          '-d',
          '--name',
          'memory',
          'debian:bench',
          'sleep',
          '60',
        ]);
        if (started.code !== 0) throw new Error(started.stderr);
        return engine.supervisorPids();
      },
      close: async () => {
        await engine.teu(['rm', '-f', 'memory']);
      },
    },
  ];
  return { contenders, traces, close: () => engine.stop() };
}
