import { Cluster, Redis, type RedisOptions } from "ioredis";
import type { RedisPlace } from "./url";

/** Time to connect. */
const CONNECT_MS = 500;
/** The longest pause between two attempts to connect. */
const PAUSE_MS = 200;
/** How often a Cluster is asked who has which slot: what is sent to the wrong one is told as well. */
const SLOTS_MS = 5000;

function pause(attempts: number): number {
  return Math.min(20 * attempts, PAUSE_MS);
}

/**
 * What is asked while there is no connection is refused at once, and what was asked when one broke is never sent again: who asks
 * decides on that. READONLY is what a master says that has become a replica: the connection is made anew, to who is it now.
 */
const options: RedisOptions = {
  connectionName: "voicegate",
  protocol: 2,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: CONNECT_MS,
  disconnectTimeout: 100,
  retryStrategy: pause,
  reconnectOnError: (error) => error.message.startsWith("READONLY"),
};

/**
 * Not waited for: it connects by itself, again and again, until it is told to disconnect for good. Its `error` events are to be
 * listened to.
 */
export function clientOf(place: RedisPlace): Redis | Cluster {
  const { username, password, tls } = place;
  const login = {
    ...(username !== null && { username }),
    ...(password !== null && { password }),
    ...(tls && { tls: {} }),
  };
  switch (place.kind) {
    case "single":
      return new Redis({ ...options, ...login, ...place.node, db: place.db });
    case "sentinel":
      return new Redis({
        ...options,
        ...login,
        sentinels: [...place.nodes],
        name: place.master,
        db: place.db,
        ...(username !== null && { sentinelUsername: username }),
        ...(password !== null && { sentinelPassword: password }),
        ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
        sentinelCommandTimeout: CONNECT_MS,
        sentinelRetryStrategy: pause,
        // Told by the sentinels: the old master takes commands for seconds before it learns that it is none any more.
        failoverDetector: true,
      });
    case "cluster": {
      const { retryStrategy: _, enableOfflineQueue: __, ...redisOptions } = options;
      return new Cluster([...place.nodes], {
        redisOptions: { ...redisOptions, ...login },
        enableOfflineQueue: false,
        clusterRetryStrategy: pause,
        slotsRefreshTimeout: CONNECT_MS,
        slotsRefreshInterval: SLOTS_MS,
        retryDelayOnFailover: 0,
        retryDelayOnClusterDown: 0,
        retryDelayOnTryAgain: 20,
        // A certificate is for a name, which must not become an address before.
        ...(tls && { dnsLookup: (name, found) => found(null, name) }),
      });
    }
  }
}
