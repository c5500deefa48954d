import { generateKeyPairSync } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { Provider } from "oidc-provider";

/** What somebody does at the provider's page. */
export interface SigningIn {
  /** The provider's name for the person; undefined: they press 「キャンセル」. */
  readonly subject?: string;
  readonly amr?: readonly string[];
}

/** A real OpenID Connect provider on this machine, whose people do at once what a test says. */
export interface TestProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Follows the provider's pages from where a browser was sent to. Returns the address that it is sent back to. */
  signIn(url: string, doing: SigningIn): Promise<string>;
  /** What whoever comes next with a browser of their own does. */
  expect(doing: SigningIn): void;
  close(): Promise<void>;
}

const CLIENT = { clientId: "suido", clientSecret: "not-a-secret-of-anybody" };

export async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}

export function closing(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Its own signing key, since the library's is known to everybody. */
function signingKey(): object {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256" };
}

function providerAt(issuer: string, redirectUris: readonly string[]): Provider {
  return new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.clientId,
        client_secret: CLIENT.clientSecret,
        redirect_uris: [...redirectUris],
      },
    ],
    features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true } },
    jwks: { keys: [signingKey()] },
    claims: { openid: ["sub"], auth_time: null, amr: null, acr: null, iss: null },
    cookies: { keys: ["of-this-test"] },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    // Whoever signs in at their own company's product is not asked whether it may know who they are.
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({
        clientId: oidc.client?.clientId ?? "",
        accountId: oidc.session?.accountId ?? "",
      });
      grant.addOIDCScope("openid");
      grant.addOIDCClaims(["auth_time", "amr", "acr"]);
      await grant.save();
      return grant;
    },
  });
}

/** Keeps cookies and follows redirects until it is sent to another host. */
async function follow(url: string, own: string): Promise<string> {
  const cookies = new Map<string, string>();
  let at = url;
  for (let hop = 0; hop < 10 && at.startsWith(own); hop += 1) {
    const cookie = Array.from(cookies, ([name, value]) => `${name}=${value}`).join("; ");
    const reply = await fetch(at, { redirect: "manual", headers: { cookie } });
    for (const set of reply.headers.getSetCookie()) {
      const [name = "", value = ""] = set.split(";", 1)[0]?.split(/=(.*)/s, 2) ?? [];
      cookies.set(name, value);
    }
    const to = reply.headers.get("location");
    if (to === null) throw new Error(`the provider said ${reply.status}: ${await reply.text()}`);
    at = new URL(to, at).href;
  }
  return at;
}

export async function openProvider(redirectUris: readonly string[]): Promise<TestProvider> {
  let doing: SigningIn = {};
  const server = createServer();
  // It has to know its own address.
  const issuer = await listening(server);
  const provider = providerAt(issuer, redirectUris);
  const asUsual = provider.callback();
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    if (request.url?.startsWith("/interaction/") !== true) return void asUsual(request, response);
    const { subject, amr = ["pwd"] } = doing;
    const result =
      subject === undefined
        ? { error: "access_denied" }
        : { login: { accountId: subject, amr: [...amr] } };
    void provider.interactionFinished(request, response, result);
  });
  return {
    issuer,
    ...CLIENT,
    signIn(url, next) {
      doing = next;
      return follow(url, issuer);
    },
    expect(next) {
      doing = next;
    },
    close: () => closing(server),
  };
}
