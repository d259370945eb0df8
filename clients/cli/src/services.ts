import { connect, type RpcChannel } from '@teu/rpc';

/** Connections to the services, made when first asked for. */
export interface Services {
  readonly engine: RpcChannel;
  readonly image: RpcChannel;
  readonly cgroup: RpcChannel;
  /** Directory of the sockets. */
  readonly runDir: string;
}

/** Connections that last until close(). */
export class ServiceConnections implements Services {
  readonly runDir: string;
  #channels = new Map<string, RpcChannel>();

  constructor(runDir: string) {
    this.runDir = runDir;
  }

  get engine(): RpcChannel {
    return this.#channel('engine');
  }

  get image(): RpcChannel {
    return this.#channel('image');
  }

  get cgroup(): RpcChannel {
    return this.#channel('cgroup');
  }

  #channel(name: string): RpcChannel {
    const known = this.#channels.get(name);
    if (known !== undefined) return known;
    const made = connect(`unix:${this.runDir}/${name}.sock`, { serviceName: name });
    this.#channels.set(name, made);
    return made;
  }

  close(): void {
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
  }
}
