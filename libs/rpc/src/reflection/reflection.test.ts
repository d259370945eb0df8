import { expect, test } from 'vitest';
import { ServerReflectionRequest, ServerReflectionService } from '@teu/proto/grpc';
import { collect, startEcho, streamOf } from '../test/echo.js';
import { loadDescriptors } from './load-descriptors.js';

type Question = NonNullable<ServerReflectionRequest['messageRequest']>;

const versions = [
  ServerReflectionService.serverReflectionInfo,
  {
    ...ServerReflectionService.serverReflectionInfo,
    path: '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
  },
];

test.each(versions)('answers at $path', async (method) => {
  await using echo = await startEcho();
  const ask = async (messageRequest: Question) => {
    const request = ServerReflectionRequest.create({ messageRequest });
    const [answer] = await collect(echo.channel.bidi(method, streamOf(request)));
    return answer?.messageResponse;
  };
  expect(await ask({ $case: 'listServices', value: '' })).toMatchObject({
    value: { service: [{ name: 'teu.test.v1.EchoService' }, { name: 'grpc.health.v1.Health' }] },
  });
  const file = await ask({ $case: 'fileContainingSymbol', value: 'grpc.health.v1.Health.Check' });
  if (file?.$case !== 'fileDescriptorResponse') throw new Error('no file');
  expect(file.value.fileDescriptorProto[0]?.toString('latin1')).toContain('health.proto');
  expect(await ask({ $case: 'fileByFilename', value: 'no/such.proto' })).toMatchObject({
    $case: 'errorResponse',
    value: { errorCode: 5 },
  });
});

test('finds services, methods, messages, fields and enums, with the files they import', () => {
  const { files, fileOfSymbol } = loadDescriptors();
  const file = 'containerd/services/snapshots/v1/snapshots.proto';
  for (const symbol of [
    'Snapshots',
    'Snapshots.Prepare',
    'MountsRequest',
    'MountsRequest.key',
    'Kind',
  ]) {
    expect(fileOfSymbol.get(`containerd.services.snapshots.v1.${symbol}`), symbol).toBe(file);
  }
  for (const dependency of files.get(file)?.dependencies ?? ['none']) {
    expect(files.has(dependency), dependency).toBe(true);
  }
});
