import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  EngineServiceService as Engine,
  RunContainerRequest,
  ContainerState,
} from '@teu/proto/engine';
import { FakeHost } from './testing/index.js';

let host: FakeHost;
beforeEach(async () => {
  host = await FakeHost.start();
});
afterEach(() => host.close());

test('runs true and removes it', async () => {
  const request = RunContainerRequest.create({
    spec: { image: 'busybox', entrypoint: { values: ['true'] }, autoRemove: true },
    wait: true,
  });
  const { container } = await host.channel.unary(Engine.runContainer, request);
  expect(container?.state).toBe(ContainerState.CONTAINER_STATE_EXITED);
  expect(container?.exit?.exitCode).toBe(0);
});
