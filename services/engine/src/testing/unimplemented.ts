import { teuError } from '@teu/errors';
import type { Handlers } from '@teu/rpc';
import type { ServiceDefinition } from '@teu/rpc';

/** Handlers for all methods of a service that a fake does not need. */
export function unimplemented<D extends ServiceDefinition>(definition: D): Handlers<D> {
  const refuse = async (): Promise<never> => {
    throw teuError('UNIMPLEMENTED', 'the fake does not have this method');
  };
  return Object.fromEntries(
    Object.keys(definition).map((name) => [name, refuse]),
  ) as unknown as Handlers<D>;
}
