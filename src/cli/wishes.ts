/** The channel on which a command asks the running service's worker to publish an issuer's lists now. */
export const PUBLISH_CHANNEL = "suido_publish";
