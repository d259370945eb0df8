import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { teuError } from '@teu/errors';
import { Status } from '@teu/proto/google';
import { startEcho } from './test/echo.js';

const PYTHON = '/usr/bin/python3';

/** Calls by hand-made bytes: what matters is what another gRPC implementation puts around them. */
const client = `
import grpc, json, sys
channel = grpc.insecure_channel(sys.argv[1])
out = {}
out['health'] = channel.unary_unary('/grpc.health.v1.Health/Check')(b'', timeout=5).hex()
reflect = '/grpc.reflection.%s.ServerReflection/ServerReflectionInfo'
for version in ['v1', 'v1alpha']:
    ask = channel.stream_stream(reflect % version)
    symbol = b'grpc.health.v1.Health'
    answers = list(ask(iter([b'\\x3a\\x00', b'\\x22' + bytes([len(symbol)]) + symbol]), timeout=5))
    out[version] = [b'teu.test.v1.EchoService' in answers[0], b'ServingStatus' in answers[1]]
one = '/teu.test.v1.EchoService/One'
out['echo'] = json.loads(channel.unary_unary(one)(b'{"text":"hi"}', timeout=5))
both = channel.stream_stream('/teu.test.v1.EchoService/Both')
out['both'] = len(list(both(iter([b'{"text":"x"}'] * 500), timeout=10)))
try:
    channel.unary_unary(one)(b'{"text":"fail"}', timeout=5)
except grpc.RpcError as error:
    trailers = dict(error.trailing_metadata())
    out['code'] = error.code().name
    out['details'] = error.details()
    out['status'] = trailers['grpc-status-details-bin'].hex()
print(json.dumps(out))
`;

// Debian package python3-grpcio, which set-up installs.
test('a gRPC client of another make gets answers, health, reflection, errors', async () => {
  await using echo = await startEcho({
    one: async (note) => {
      if (note.text === 'fail') throw teuError('CGROUP_BUSY', 'group “g” is busy: 100%');
      return note;
    },
  });
  const child = spawn(PYTHON, ['-c', client, echo.address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  await new Promise((resolve) => child.on('close', resolve));
  const seen = JSON.parse(output) as Record<string, unknown>;
  expect(seen).toMatchObject({
    health: '0801',
    v1: [true, true],
    v1alpha: [true, true],
    echo: { text: 'hi' },
    both: 500,
    code: 'FAILED_PRECONDITION',
    details: 'group “g” is busy: 100%',
  });
  const status = Status.decode(Buffer.from(String(seen['status']), 'hex'));
  expect(status.details[0]?.typeUrl).toBe('type.googleapis.com/google.rpc.ErrorInfo');
});
