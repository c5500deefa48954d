import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { createServer, type Server } from "node:http";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { createSystem } from "../../../src/cli/system.ts";
import { createOpenId, type OpenId, purposeOf } from "../../../src/staff/openid.ts";
import { closing, listening } from "../../support/openid-provider.ts";

/** A provider that signs whatever it is told to, or nothing: what no honest one can be brought to. */
let server: Server;
let issuer: string;
let claims: Readonly<Record<string, unknown>> = {};
let algorithm = "ES256";
let key: KeyObject;
let stranger: KeyObject;
let published: object;
/** Whether it hears what it is asked, and says nothing. */
let isSilent = false;
let asked: string[] = [];

const base64url = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString("base64url");

function token(): string {
  const signed = `${base64url({ alg: algorithm, kid: "1" })}.${base64url(claims)}`;
  const by = { ES256: key, stranger }[algorithm === "ES256" ? "ES256" : "stranger"];
  if (algorithm === "none") return `${signed}.`;
  if (algorithm === "HS256")
    return `${signed}.${createHmac("sha256", "secret").update(signed).digest("base64url")}`;
  const signature = sign("sha256", Buffer.from(signed), { key: by, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

function answerTo(path: string): object {
  if (path === "/jwks") return { keys: [published] };
  if (path === "/token")
    return { access_token: "a", token_type: "Bearer", expires_in: 60, id_token: token() };
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256"],
    authorization_response_iss_parameter_supported: true,
  };
}

beforeAll(async () => {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  key = pair.privateKey;
  stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  published = { ...pair.publicKey.export({ format: "jwk" }), kid: "1", alg: "ES256", use: "sig" };
  server = createServer((request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    if (isSilent) return;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(answerTo(path)));
  });
  issuer = await listening(server);
});
afterEach(() => {
  algorithm = "ES256";
  isSilent = false;
  asked = [];
});
afterAll(() => closing(server));

const relyingParty = (patienceMs = 2_000): OpenId =>
  createOpenId({
    ...createSystem(),
    provider: { issuer, clientId: "suido", clientSecret: "secret" },
    redirectUri: "http://localhost:8000/sign-in/callback",
    patienceMs,
  });

const inSeconds = (from: number): number => Math.floor(Date.now() / 1000) + from;

/** Begins, has the provider say this, and comes back. */
async function comeBack(said: Readonly<Record<string, unknown>>, openId = relyingParty()) {
  const { attempt, url } = await openId.begin("home");
  const { searchParams } = new URL(url);
  claims = {
    iss: issuer,
    aud: "suido",
    sub: "person",
    iat: inSeconds(0),
    exp: inSeconds(60),
    nonce: searchParams.get("nonce"),
    ...said,
  };
  const state = searchParams.get("state") ?? "";
  return openId.finish(attempt, String(new URLSearchParams({ code: "c", iss: issuer, state })));
}

describe("a provider's word", () => {
  it("is taken when all of it fits", async () => {
    const proof = await comeBack({ auth_time: inSeconds(-30), amr: ["pwd", 7, "otp"], acr: "2" });
    expect(proof).toMatchObject({ issuer, subject: "person", amr: ["pwd", "otp"], acr: "2" });
    const age = Date.now() - proof.authenticatedAt.getTime();
    expect(age).toBeGreaterThan(29_000);
    expect(age).toBeLessThan(40_000);
  });

  it("makes nobody's sign-in younger than now", async () => {
    const { authenticatedAt } = await comeBack({ auth_time: inSeconds(3600) });
    expect(authenticatedAt.getTime()).toBeLessThanOrEqual(Date.now());
  });

  it.for([
    ["of another time", { nonce: "of-another-sign-in" }],
    ["without a nonce", { nonce: undefined }],
    ["of another issuer", { iss: "https://evil.example" }],
    ["for another client", { aud: "another" }],
    ["that is over", { iat: inSeconds(-7200), exp: inSeconds(-3600) }],
    ["of nobody", { sub: undefined }],
  ] as const)("is not taken %s", async ([, said]) => {
    await expect(comeBack(said)).rejects.toMatchObject({ fault: "again" });
  });

  it.for(["none", "HS256", "stranger"])("is not taken when signed as %s", async (by) => {
    algorithm = by;
    await expect(comeBack({})).rejects.toMatchObject({ fault: "again" });
  });

  it("is not waited for for ever, and asked for once by all who wait", async () => {
    isSilent = true;
    const patient = relyingParty(1_000);
    const all = await Promise.allSettled([1, 2, 3].map(() => patient.begin("home")));
    for (const each of all)
      expect(each).toMatchObject({ status: "rejected", reason: { fault: "unavailable" } });
    expect(asked).toHaveLength(1);
    isSilent = false;
    expect(purposeOf((await patient.begin("home")).attempt)).toBe("home");
  });
});

it("knows what an attempt of ours was begun for", async () => {
  const { attempt } = await relyingParty().begin("home");
  expect(purposeOf(attempt)).toBe("home");
  expect(purposeOf(`${attempt}0`)).toBeUndefined();
  expect(purposeOf("")).toBeUndefined();
});
