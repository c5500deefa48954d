/** The body of a request has at most so many octets; PKCS#10 requests of every kind fit many times over. */
export const BODY_LIMIT = 65_536;

/** Address and headers together; Node.js answers 431 beyond it. */
const HEADER_LIMIT = 16_384;

/** Headers that trickle in hold a connection no longer than this, in milliseconds. */
const HEADERS_TIMEOUT_MS = 10_000;

/** How late Node.js notices that a time is over, in milliseconds; its own 30 s would be most of the time. */
const CHECK_EVERY_MS = 1_000;

/**
 * What Node.js's server is told itself, with TLS or without. The time for headers must not exceed Fastify's
 * `requestTimeout`: Node.js would take each for the other.
 */
export const SERVER_LIMITS = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  maxHeaderSize: HEADER_LIMIT,
  connectionsCheckingInterval: CHECK_EVERY_MS,
} as const;
