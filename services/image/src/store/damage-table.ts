import type { Store } from '@teu/state';

/** Layers of drivers that are not as they were unpacked, and are to be made anew. */
export interface DamageTable {
  /** What is wrong; undefined if nothing is known. */
  find(driver: string, chainId: string): string | undefined;
  /** Whether one of these layers is known to be damaged. */
  hasAny(driver: string, chainIds: readonly string[]): boolean;
  record(driver: string, chainId: string, why: string): void;
  /** @returns whether there was something to forget */
  forget(driver: string, chainId: string): boolean;
}

/** Makes the table of a store. It is asked on the road of starts, and nearly always empty. */
export function createDamageTable(store: Store): DamageTable {
  const known = new Map<string, string>();
  const keyOf = (driver: string, chainId: string): string => `${driver} ${chainId}`;
  const rows = store
    .prepare<{ driver: string; chainId: string; why: string }>(
      'SELECT driver, chain_id AS chainId, why FROM damaged_layers',
    )
    .all();
  for (const { driver, chainId, why } of rows) known.set(keyOf(driver, chainId), why);
  return {
    find: (driver, chainId) => known.get(keyOf(driver, chainId)),
    hasAny: (driver, chainIds) =>
      known.size > 0 && chainIds.some((chainId) => known.has(keyOf(driver, chainId))),
    record: (driver, chainId, why) => {
      store
        .prepare('INSERT OR REPLACE INTO damaged_layers (driver, chain_id, why) VALUES (?, ?, ?)')
        .run(driver, chainId, why);
      store.afterCommit(() => known.set(keyOf(driver, chainId), why));
    },
    forget: (driver, chainId) => {
      if (!known.has(keyOf(driver, chainId))) return false;
      store
        .prepare('DELETE FROM damaged_layers WHERE driver = ? AND chain_id = ?')
        .run(driver, chainId);
      store.afterCommit(() => known.delete(keyOf(driver, chainId)));
      return true;
    },
  };
}
