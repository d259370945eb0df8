import { teuError } from '@teu/errors';
import { connect } from '@teu/rpc';
import { Peer } from './peer.js';

/** Where the services behind the engine are. */
export interface PeerAddresses {
  image: string;
  cgroup: string;
  executor: string;
  /** Storage drivers by name. */
  drivers: ReadonlyMap<string, string>;
}

/** The services behind the engine. Connections are made when they are first used and again when they broke. */
export interface Peers {
  image: Peer;
  cgroup: Peer;
  executor: Peer;
  /** @throws DRIVER_NOT_FOUND for a name that is not configured. */
  driver(name: string): Peer;
  all(): Peer[];
  close(): void;
}

/** Makes the connections to all services. Does not wait for any of them. */
export function connectPeers(addresses: PeerAddresses): Peers {
  const open = (name: string, address: string): Peer => new Peer(name, address, connect(address));
  const image = open('image', addresses.image);
  const cgroup = open('cgroup', addresses.cgroup);
  const executor = open('executor', addresses.executor);
  const drivers = new Map(
    [...addresses.drivers].map(([name, address]) => [name, open(name, address)] as const),
  );
  const all = [image, ...drivers.values(), cgroup, executor];
  return {
    image,
    cgroup,
    executor,
    driver: (name) => {
      const driver = drivers.get(name);
      if (driver !== undefined) return driver;
      const known = [...drivers.keys()].join(', ');
      throw teuError(
        'DRIVER_NOT_FOUND',
        `there is no storage driver "${name}"; there are: ${known}`,
        {
          metadata: { driver: name },
        },
      );
    },
    all: () => all,
    close: () => all.forEach((peer) => peer.close()),
  };
}
