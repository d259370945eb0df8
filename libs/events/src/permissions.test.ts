import { connect, nkeyAuthenticator, type NatsConnection } from 'nats';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE_IDENTITIES } from './index.js';
import { startNats, type TestNats } from './testing/start-nats.js';

let nats: TestNats;
const connections = new Map<string, NatsConnection>();

beforeAll(async () => {
  nats = await startNats();
  for (const { name } of SERVICE_IDENTITIES) {
    const seed = new TextEncoder().encode(readFileSync(nats.seedFile(name), 'utf8').trim());
    const authenticator = nkeyAuthenticator(seed);
    connections.set(name, await connect({ servers: nats.url, authenticator, reconnect: false }));
  }
});

afterAll(async () => {
  for (const connection of connections.values()) await connection.close();
  await nats.stop();
});

const SUBJECTS = [
  'teu.v1.n1.container.started',
  'teu.v1.n1.image.loaded',
  'teu.v1.n1.snapshot.prepared',
  'teu.v1.n1.driver.added',
  'teu.v1.n1.cgroup.oom_killed',
  'teu.v1.n1.container.started.more',
  'teu.v1.n1.secret.told',
  'teu.v2.n1.container.started',
  'other.subject',
  '$JS.API.INFO',
  '$JS.API.STREAM.CREATE.TEU',
  '$JS.API.STREAM.CREATE.OTHER',
  '$JS.API.STREAM.UPDATE.TEU',
  '$JS.API.STREAM.INFO.TEU',
  '$JS.API.STREAM.DELETE.TEU',
  '$JS.API.STREAM.PURGE.TEU',
  '$JS.API.STREAM.MSG.GET.TEU',
  '$JS.API.STREAM.MSG.DELETE.TEU',
  '$JS.API.STREAM.RESTORE.TEU',
  '$JS.API.CONSUMER.CREATE.TEU.engine',
  '$JS.API.CONSUMER.MSG.NEXT.TEU.engine',
  '$JS.ACK.TEU.engine.1.1.1.1.1',
  '$SYS.REQ.SERVER.PING',
  '_INBOX_engine.x.1',
  '_INBOX_image.x.1',
  '_INBOX.x.1',
];

const PUBLISH: Record<string, string[]> = {
  engine: [
    'teu.v1.n1.container.started',
    'teu.v1.n1.driver.added',
    '$JS.API.STREAM.CREATE.TEU',
    '$JS.API.STREAM.UPDATE.TEU',
    '$JS.API.STREAM.INFO.TEU',
    '$JS.API.CONSUMER.CREATE.TEU.engine',
    '$JS.API.CONSUMER.MSG.NEXT.TEU.engine',
    '$JS.ACK.TEU.engine.1.1.1.1.1',
  ],
  image: ['teu.v1.n1.image.loaded'],
  cgroup: ['teu.v1.n1.cgroup.oom_killed'],
  storage: ['teu.v1.n1.snapshot.prepared'],
  reader: ['$JS.API.STREAM.INFO.TEU', '$JS.API.STREAM.MSG.GET.TEU'],
};

const SUBSCRIBE: Record<string, string[]> = {
  engine: ['_INBOX_engine.x.1'],
  image: ['_INBOX_image.x.1'],
  cgroup: [],
  storage: [],
  reader: [
    'teu.v1.n1.container.started',
    'teu.v1.n1.image.loaded',
    'teu.v1.n1.snapshot.prepared',
    'teu.v1.n1.driver.added',
    'teu.v1.n1.cgroup.oom_killed',
    'teu.v1.n1.container.started.more',
    'teu.v1.n1.secret.told',
  ],
};

/** Subjects for which the server does not report a violation, in the order of SUBJECTS. */
async function allowed(
  name: string,
  operation: 'publish' | 'subscription',
  attempt: (connection: NatsConnection, subject: string) => void,
): Promise<string[]> {
  const connection = connections.get(name)!;
  const denied = new Set<string>();
  const watch = (async () => {
    for await (const status of connection.status()) {
      const context = status.permissionContext;
      if (context?.operation === operation) denied.add(context.subject);
      if (denied.has('end.of.test')) return;
    }
  })();
  for (const subject of [...SUBJECTS, 'end.of.test']) attempt(connection, subject);
  await watch;
  return SUBJECTS.filter((subject) => !denied.has(subject));
}

/** Addresses on which a process listens, as /proc/net/tcp writes them (proc_pid_net(5)). */
function listeningAddresses(pid: number): string[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`)),
  );
  const LISTEN = '0A';
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === LISTEN && inodes.has(`socket:[${fields[9]}]`))
      .map((fields) => fields[1] ?? ''),
  );
}

describe.each(SERVICE_IDENTITIES.map(({ name }) => name))('%s', (name) => {
  it('may publish only what is its business', async () => {
    const subjects = await allowed(name, 'publish', (connection, subject) =>
      connection.publish(subject, 'x'),
    );
    expect(subjects).toEqual(PUBLISH[name]);
  });

  it('may subscribe only to what is its business', async () => {
    const subjects = await allowed(name, 'subscription', (connection, subject) =>
      connection.subscribe(subject, { callback: () => undefined }),
    );
    expect(subjects).toEqual(SUBSCRIBE[name]);
  });
});

describe('the server', () => {
  it('takes nobody without a key, and nobody with a key of somebody else', async () => {
    await expect(connect({ servers: nats.url, reconnect: false })).rejects.toMatchObject({
      code: 'AUTHORIZATION_VIOLATION',
    });
    const { createUser } = await import('nkeys.js');
    const authenticator = nkeyAuthenticator(createUser().getSeed());
    await expect(
      connect({ servers: nats.url, authenticator, reconnect: false }),
    ).rejects.toMatchObject({ code: 'AUTHORIZATION_VIOLATION' });
  });

  it('listens on one port of the loopback address and nowhere else', () => {
    const port = Number(new URL(nats.url).port);
    expect(listeningAddresses(nats.pid)).toEqual([`0100007F:${port.toString(16).toUpperCase()}`]);
  });

  it('keeps the seeds where only their owner can read them', () => {
    for (const { name } of SERVICE_IDENTITIES) {
      expect(statSync(nats.seedFile(name)).mode & 0o777).toBe(0o400);
    }
  });
});
