/** What a gateway on one machine with its callers and receivers needs. */
export const environment = {
  PORT: "0",
  SIP_PORT: "0",
  ALLOW_HTTP_WEBHOOKS: "true",
  ALLOW_LOCALHOST_WEBHOOKS: "true",
  ALLOW_LOCALHOST_MEDIA: "true",
  SHUTDOWN_TIMEOUT_MS: "0",
} as const;
