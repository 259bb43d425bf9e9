/**
 * The app of the development mode. Everybody knows its keys: they open nothing but a gateway on a loopback address.
 * It imports nothing, so that a page in a browser can have them, too.
 */
export const demo = { app: "demo", key: "demo-api-key-0123456789", admin: "demo-admin-key-0123456789" } as const;
