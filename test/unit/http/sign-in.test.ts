import { describe, expect, it } from "vitest";

import { createSystem } from "../../../src/cli/system.ts";
import type { SignIn } from "../../../src/http/routes-sign-in.ts";
import { createOpenId } from "../../../src/staff/openid.ts";
import { appWith } from "./app.ts";

const HTML = { accept: "text/html", "accept-language": "en" };
const unexpected = () => Promise.reject(new Error("nobody is signed in here"));

/** With a provider at whose address nobody listens. */
const signIn: SignIn = {
  openId: createOpenId({
    ...createSystem(),
    provider: { issuer: "http://127.0.0.1:9", clientId: "suido", clientSecret: undefined },
    redirectUri: "http://localhost:8000/sign-in/callback",
  }),
  personSessions: {
    accountsOf: unexpected,
    begin: unexpected,
    noteStranger: unexpected,
    end: () => Promise.resolve(),
    find: () => Promise.resolve(undefined),
    others: unexpected,
    change: unexpected,
  },
  waySignIn: { signedIn: unexpected },
  desk: { pharmacies: unexpected, look: unexpected, confirm: unexpected },
  deputies: { name: unexpected },
  deviceHolds: { hold: unexpected, release: unexpected },
};

describe("signing in", () => {
  it("is offered nowhere while the site has no provider", async () => {
    const { app } = await appWith();
    for (const url of ["/sign-in", "/sign-in/go", "/sign-in/callback"])
      expect((await app.inject({ url, headers: HTML })).statusCode).toBe(404);
  });

  it("says what helps while the provider is away, and logs why", async () => {
    const { app, lines } = await appWith({ signIn });
    const away = await app.inject({ url: "/sign-in/go", headers: HTML });
    expect([away.statusCode, away.headers.location]).toEqual([303, "/sign-in?problem=unavailable"]);
    const page = await app.inject({ url: "/sign-in?problem=unavailable", headers: HTML });
    expect(page.statusCode).toBe(503);
    expect(page.body).toContain("Signing in does not work at the moment");
    expect(page.body).toContain("please call");
    expect(lines.join()).toContain("sign-in refused: TypeError");
    expect((await app.inject({ url: "/sign-in?problem=%00", headers: HTML })).statusCode).toBe(200);
  });

  it("takes no sign-out from another site's page", async () => {
    const { app } = await appWith({ signIn });
    const headers = { ...HTML, origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    const { statusCode } = await app.inject({ method: "POST", url: "/sign-out", headers });
    expect(statusCode).toBe(403);
  });

  it("keeps its cookies to this very host where there is TLS", async () => {
    const urls = {
      app: "https://install.example.jp",
      va: "http://va.example.jp",
      mtls: "https://prove.example.jp",
    };
    const begun = { attempt: `home.1.${"0".repeat(64)}`, url: "https://id.example.jp/authorize" };
    const openId = { ...signIn.openId, begin: () => Promise.resolve(begun) };
    const { app } = await appWith({ signIn: { ...signIn, openId }, urls });
    const { headers } = await app.inject({ url: "/sign-in/go", headers: HTML });
    expect(headers["set-cookie"]).toMatch(
      /^__Host-suido-sign-in=home\.1\.0+; Max-Age=900; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
  });
});
