import type * as Library from "openid-client";

import { toHex, utf8Bytes } from "../pki/bytes.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest, Random } from "../pki/crypto.ts";
import { type SignInFault, SignInRefusedError } from "./errors.ts";

/** What a provider has said of somebody who has just signed in. */
export interface Proof {
  readonly issuer: string;
  readonly subject: string;
  readonly authenticatedAt: Date;
  /** How the provider knew the person (RFC 8176), as far as it says. */
  readonly amr: readonly string[];
  readonly acr?: string;
}

/**
 * An OpenID Connect provider (Core 1.0, code flow with PKCE). Nothing is kept of an attempt but what its browser keeps:
 * state, nonce and verifier are hashes of that one secret.
 */
export interface OpenId {
  /** The address at the provider, and what the browser brings back. Throws SignInRefusedError `unavailable`. */
  begin(purpose: string): Promise<{ readonly attempt: string; readonly url: string }>;
  /**
   * Who it is, after the provider has sent the browser back to `query` with the attempt that it had begun. Throws
   * SignInRefusedError.
   */
  finish(attempt: string, query: string): Promise<Proof>;
}

export interface OpenIdDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly digest: Digest;
  readonly provider: {
    readonly issuer: string;
    readonly clientId: string;
    /** Undefined for a public client. */
    readonly clientSecret: string | undefined;
  };
  /** Where the provider sends browsers back to: registered with it, character by character. */
  readonly redirectUri: string;
  /** How long somebody waits for the provider; for tests. */
  readonly patienceMs?: number;
}

/** From the button here to coming back: a password that was forgotten, a second factor that is in another room. */
const ATTEMPT_MS = 15 * 60_000;
const PATIENCE_MS = 5_000;
/** One request ends before whoever waits for it gives up, so that the next one to come asks anew. */
const REQUEST_PART = 0.8;
/** What the provider publishes of itself changes by years; its keys are asked for as they are needed. */
const METADATA_MS = 60 * 60_000;
/** 256 bits: three secrets come from it. */
const SECRET_OCTETS = 32;
/** What providers leave out unless they are asked (Core 1.0 §5.5.1). */
const HOW = JSON.stringify({ id_token: { auth_time: null, amr: null, acr: null } });
/** More ways of knowing somebody than a provider has. */
const MOST_AMR = 10;
const ATTEMPT = /^([a-z]{1,20})\.(\d{1,15})\.[0-9a-f]{64}$/;

/** What an attempt was begun for; undefined for what is none of ours. */
export function purposeOf(attempt: string): string | undefined {
  return ATTEMPT.exec(attempt)?.[1];
}

/** Says no more of an error than what it is called: tokens and codes stand in the rest. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const { code, error: said } = error as { readonly code?: unknown; readonly error?: unknown };
  return [error.name, code, said].filter((each) => typeof each === "string").join(" ");
}

const CANCELLED = new Set([
  "access_denied",
  "login_required",
  "interaction_required",
  "consent_required",
]);
const AWAY = new Set(["OAUTH_TIMEOUT", "OAUTH_ABORT", "OAUTH_RESPONSE_IS_NOT_CONFORM"]);
const MISTAKEN = new Set([
  "invalid_client",
  "unauthorized_client",
  "server_error",
  "temporarily_unavailable",
]);

/** Whose fault it is, so that the page can say what helps. */
function faultOf(error: unknown): SignInFault {
  const { code, error: said } = error as { readonly code?: unknown; readonly error?: unknown };
  const [coded, told] = [String(code), String(said)];
  if (CANCELLED.has(told)) return "cancelled";
  // fetch throws a TypeError for every connection that fails.
  const isAway = error instanceof TypeError || AWAY.has(coded) || MISTAKEN.has(told);
  return isAway ? "unavailable" : "again";
}

const refused = (fault: SignInFault, why: string): SignInRefusedError =>
  new SignInRefusedError(fault, why);

/** The work, or a refusal when it takes too long: it goes on and is heard by nobody. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(reject, ms, refused("unavailable", "timeout"));
  try {
    return await Promise.race([work, promise]);
  } catch (error) {
    if (error instanceof SignInRefusedError) throw error;
    throw refused(faultOf(error), nameOf(error));
  } finally {
    clearTimeout(timer);
  }
}

/** As the provider wants it; what it does not say is the header (Discovery 1.0 §3). */
function authenticationWith(
  library: typeof Library,
  secret: string | undefined,
): Library.ClientAuth {
  if (secret === undefined) return library.None();
  const [header, form] = [library.ClientSecretBasic(secret), library.ClientSecretPost(secret)];
  // oxlint-disable-next-line max-params -- the library's own
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
    const way = methods.includes("client_secret_basic") ? header : form;
    way(server, client, body, headers);
  };
}

/** What the provider publishes of itself, asked for once an hour, and once for all who wait for it. */
function metadataOf(deps: OpenIdDeps): () => Promise<{
  readonly library: typeof Library;
  readonly configuration: Library.Configuration;
}> {
  const { clock, patienceMs = PATIENCE_MS } = deps;
  const { issuer, clientId, clientSecret } = deps.provider;
  const ask = async () => {
    // Loaded by whoever signs in first: most instances have nobody who does.
    const library = await import("openid-client");
    const plain = issuer.startsWith("http:") ? [library.allowInsecureRequests] : [];
    const configuration = await library.discovery(
      new URL(issuer),
      clientId,
      {},
      authenticationWith(library, clientSecret),
      // Signatures are checked although the token comes over TLS: not everybody's TLS ends at the provider.
      {
        execute: [library.enableNonRepudiationChecks, ...plain],
        timeout: (patienceMs * REQUEST_PART) / 1000,
      },
    );
    return { library, configuration };
  };
  let known: { readonly until: number; readonly answer: ReturnType<typeof ask> } | undefined;
  return async () => {
    const now = clock().getTime();
    if (known === undefined || known.until <= now)
      known = { until: now + METADATA_MS, answer: ask() };
    const { answer } = known;
    try {
      return await answer;
    } catch (error) {
      if (known?.answer === answer) known = undefined;
      throw error;
    }
  };
}

export function createOpenId(deps: OpenIdDeps): OpenId {
  const { clock, digest, random, redirectUri, patienceMs = PATIENCE_MS } = deps;
  const metadata = metadataOf(deps);
  const derived = (use: string, attempt: string): string =>
    Buffer.from(digest("sha256", utf8Bytes(`${use}:${attempt}`))).toString("base64url");

  return {
    begin(purpose) {
      const begin = async () => {
        const { library, configuration } = await metadata();
        const attempt = `${purpose}.${clock().getTime()}.${toHex(random(SECRET_OCTETS))}`;
        const verifier = derived("verifier", attempt);
        const { claims_parameter_supported: takesClaims } = configuration.serverMetadata();
        const url = library.buildAuthorizationUrl(configuration, {
          redirect_uri: redirectUri,
          scope: "openid",
          state: derived("state", attempt),
          nonce: derived("nonce", attempt),
          code_challenge: await library.calculatePKCECodeChallenge(verifier),
          code_challenge_method: "S256",
          // The counter's browser may still be signed in as whoever stood there before.
          prompt: "login",
          ...(takesClaims === true && { claims: HOW }),
        });
        return { attempt, url: url.href };
      };
      return within(patienceMs, begin());
    },

    async finish(attempt, query) {
      const began = Number(ATTEMPT.exec(attempt)?.[2]);
      const now = clock();
      if (Number.isNaN(began)) throw refused("again", "no attempt");
      if (now.getTime() - began > ATTEMPT_MS) throw refused("again", "too old");
      const finish = async () => {
        const { library, configuration } = await metadata();
        const url = new URL(redirectUri);
        url.search = query;
        const tokens = await library.authorizationCodeGrant(configuration, url, {
          expectedState: derived("state", attempt),
          expectedNonce: derived("nonce", attempt),
          pkceCodeVerifier: derived("verifier", attempt),
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (claims === undefined) throw refused("again", "no id_token");
        const { iss, sub, auth_time: at, amr, acr } = claims;
        return {
          issuer: iss,
          subject: sub,
          // A provider's clock that is ahead makes nobody younger than now.
          authenticatedAt: new Date(Math.min((at ?? Infinity) * 1000, now.getTime())),
          amr: Array.isArray(amr)
            ? amr.filter((each) => typeof each === "string").slice(0, MOST_AMR)
            : [],
          ...(typeof acr === "string" && { acr }),
        };
      };
      return within(patienceMs, finish());
    },
  };
}
