import { connect } from '@teu/rpc';
import { Peer } from './peer.js';

/** Where the services behind the engine are. */
export interface PeerAddresses {
  image: string;
  cgroup: string;
  executor: string;
}

/**
 * The services behind the engine, apart from storage drivers. Connections are made when they are first used and again
 * when they broke.
 */
export interface Peers {
  image: Peer;
  cgroup: Peer;
  executor: Peer;
  all(): Peer[];
  close(): void;
}

/** Makes the connections to all services. Does not wait for any of them. */
export function connectPeers(addresses: PeerAddresses): Peers {
  const open = (name: string, address: string): Peer => new Peer(name, address, connect(address));
  const image = open('image', addresses.image);
  const cgroup = open('cgroup', addresses.cgroup);
  const executor = open('executor', addresses.executor);
  const all = [image, cgroup, executor];
  return {
    image,
    cgroup,
    executor,
    all: () => all,
    close: () => all.forEach((peer) => peer.close()),
  };
}
