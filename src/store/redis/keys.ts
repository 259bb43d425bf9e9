import { nodeOf } from "../../ids";

/**
 * The names of all keys that a client names itself; scripts make the others from `A` and `T` (see the prelude). The hash tag
 * decides on the slot: all of an app in one. No app id has a colon, so that none is taken for something else.
 */
export class Keys {
  /** ZSET: id of an app of which anything is left, deleted ones included → ms at which it was last put. */
  readonly apps: string;
  /** ZSET: app id → ms at which something live was last begun or queued for it. */
  readonly active: string;
  /** HASH: number, or beginning of one followed by `*` → who claimed it. */
  readonly numbers: string;
  /** What the keys of the nodes' leases begin with. */
  readonly nodes: string;

  /** @param prefix of all keys: what shares a Redis has its own */
  constructor(readonly prefix: string) {
    if (/[{}]/.test(prefix)) throw new RangeError("a prefix of keys has no braces");
    this.apps = `${prefix}apps`;
    this.active = `${prefix}active`;
    this.numbers = `${prefix}numbers`;
    this.nodes = `${prefix}{nodes:}:`;
  }

  /** What all keys of an app begin with, and the key that its scripts are called with: `A`. */
  app(app_id: string): string {
    return `${this.prefix}{${app_id}}:`;
  }

  /** What the keys of an app of one epoch begin with: `T`. */
  epoch(app_id: string, epoch: string): string {
    return `${this.app(app_id)}${epoch}:`;
  }

  /** What the keys of a node's calls and rooms begin with: `own`, `live`. */
  node(node: string): string {
    return `${this.prefix}{n:${node}}:`;
  }

  /** Those of the node that holds this call or room. */
  nodeOf(id: string): string {
    return this.node(nodeOf(id));
  }

  /** Quota of the admins of one address. */
  admin(address: string): string {
    return `${this.prefix}admin:${address}`;
  }
}
