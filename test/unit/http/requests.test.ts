import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";

import { parseSerial } from "../../../src/pki/serial.ts";
import type { AppServerOptions } from "../../../src/http/api-app.ts";
import { HttpError } from "../../../src/http/errors.ts";
import { ADMIN, appWith, JSON_TYPE, post, type TestApp, unexpectedCollection } from "./app.ts";

let app: FastifyInstance;
beforeAll(async () => {
  ({ app } = await appWith());
});
afterAll(() => app.close());

/** An app of one test's own: for what it passes in, or what is logged. */
async function open(overrides: Partial<AppServerOptions> = {}): Promise<TestApp> {
  const opened = await appWith(overrides);
  onTestFinished(() => opened.app.close());
  return opened;
}

const ID = "019aa5f0-3c5e-7b1a-9d52-6f0d6c1f7a10";

it.for([
  {
    name: "broken JSON",
    request: post("/v1/corporations", '{"name":'),
    status: 400,
    type: "malformed-request",
  },
  {
    name: "an empty body",
    request: post("/v1/corporations", ""),
    status: 400,
    type: "invalid-request",
  },
  {
    name: "a body that is not UTF-8",
    request: {
      ...post("/v1/corporations", ""),
      payload: Buffer.from([...Buffer.from('{"name":"'), 0x96, 0xf2, ...Buffer.from('"}')]),
    },
    status: 400,
    type: "malformed-request",
  },
  {
    name: "a member that every object has",
    request: post("/v1/corporations", '{"name":"a","constructor":1,"toString":1}'),
    status: 400,
    type: "invalid-request",
  },
  {
    name: "__proto__",
    request: post("/v1/corporations", '{"name":"a","__proto__":{"admin":true}}'),
    status: 400,
    type: "malformed-request",
  },
  {
    name: "constructor.prototype",
    request: post("/v1/corporations", '{"name":"a","constructor":{"prototype":{}}}'),
    status: 400,
    type: "malformed-request",
  },
  {
    name: "a body over 64 kB",
    request: post("/v1/corporations", JSON.stringify({ name: "a".repeat(70_000) })),
    status: 413,
    type: "content-too-large",
  },
  {
    name: "another content type",
    request: post("/v1/corporations", "<a/>", { ...ADMIN, "content-type": "application/xml" }),
    status: 415,
    type: "unsupported-media-type",
  },
  {
    name: "plain text",
    request: post("/v1/corporations", '{"name":"a"}', { ...ADMIN, "content-type": "text/plain" }),
    status: 415,
    type: "unsupported-media-type",
  },
  {
    name: "an Accept without JSON",
    request: {
      method: "GET",
      url: "/v1/devices",
      headers: { ...ADMIN, accept: "application/xml" },
    },
    status: 406,
    type: "not-acceptable",
  },
  {
    name: "bad percent-encoding",
    request: { method: "GET", url: "/v1/devices/%zz", headers: ADMIN },
    status: 400,
    type: "malformed-request",
  },
  {
    name: "percent-encoding that is no UTF-8",
    request: { method: "GET", url: "/v1/devices/%ff%fe", headers: ADMIN },
    status: 400,
    type: "malformed-request",
  },
  {
    name: "a parameter without end",
    request: { method: "GET", url: `/v1/devices/${"a".repeat(600)}`, headers: ADMIN },
    status: 404,
    type: "no-such-route",
  },
  {
    name: "an unknown address",
    request: { method: "GET", url: "/v1/transfers", headers: ADMIN },
    status: 404,
    type: "no-such-route",
  },
  {
    name: "another method",
    request: { method: "PUT", url: "/v1/devices", headers: ADMIN },
    status: 405,
    type: "method-not-allowed",
  },
  {
    name: "no key",
    request: { method: "GET", url: "/v1/devices" },
    status: 401,
    type: "unauthorized",
  },
  {
    name: "another scheme",
    request: { method: "GET", url: "/v1/devices", headers: { authorization: "Basic YTpi" } },
    status: 401,
    type: "unauthorized",
  },
  {
    name: "a wrong key",
    request: { method: "GET", url: "/v1/devices", headers: { authorization: "Bearer nobody" } },
    status: 401,
    type: "unauthorized",
  },
  {
    name: "a key with a line break",
    request: {
      method: "GET",
      url: "/v1/devices",
      headers: { authorization: "Bearer admin\u0000" },
    },
    status: 401,
    type: "unauthorized",
  },
  {
    name: "a role that may not",
    request: { method: "GET", url: "/v1/devices", headers: { authorization: "Bearer proxy" } },
    status: 403,
    type: "forbidden",
  },
] as const)("refuses $name with $status", async ({ request, status, type }) => {
  const response = await app.inject(request);
  expect(response.statusCode).toBe(status);
  expect(response.headers["content-type"]).toBe("application/problem+json");
  expect(response.json()).toMatchObject({ type: `/problems/${type}`, status });
});

it("reads a query's numbers, and fills in the size of a page", async () => {
  const asked: unknown[] = [];
  const { app: own } = await open({
    devices: {
      ...unexpectedCollection,
      list: (_principal, query) => {
        asked.push(query);
        return Promise.resolve({ items: [] });
      },
    },
  });
  await own.inject({ url: "/v1/devices?limit=5", headers: ADMIN });
  await own.inject({ url: "/v1/devices", headers: ADMIN });
  expect(asked).toEqual([{ limit: 5 }, { limit: 50 }]);
});

it("lists the methods of an address with 405", async () => {
  const response = await app.inject({ method: "DELETE", url: "/v1/certificates", headers: ADMIN });
  expect(response.statusCode).toBe(405);
  expect(response.headers["allow"]).toBe("GET, HEAD, POST");
});

it.for(["", "with space", "a\u007f", "あ", "x".repeat(256)])(
  "refuses the Idempotency-Key %j",
  async (key) => {
    const response = await app.inject(
      post("/v1/corporations", '{"name":"a"}', { ...JSON_TYPE, "idempotency-key": key }),
    );
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ errors: [{ field: "Idempotency-Key" }] });
  },
);

it("checks the key before it reads anything else", async () => {
  const response = await app.inject(
    post("/v1/corporations", "{", { "content-type": "application/json" }),
  );
  expect(response.statusCode).toBe(401);
});

it("gives its own request id, also where it is not asked, and names it in problems", async () => {
  const response = await app.inject({ url: "/v1/nope", headers: { "x-request-id": "forged" } });
  const id = response.headers["x-request-id"];
  expect(id).toMatch(/^00000000-0000-7000-8000-\d{12}$/);
  expect(response.json()).toMatchObject({ instance: `urn:uuid:${String(id)}` });
});

it("F30: a fault of ours tells nothing, and is logged under its id", async () => {
  const { app: own, lines } = await open();
  const response = await own.inject({ url: "/v1/devices", headers: ADMIN });
  expect(response.statusCode).toBe(500);
  const id = String(response.headers["x-request-id"]);
  expect(response.json()).toEqual({
    type: "/problems/internal-error",
    title: "Internal error",
    status: 500,
    instance: `urn:uuid:${id}`,
  });
  const logged = lines.filter((line) => line.includes("SECRET-INTERNAL-TEXT"));
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain(id);
});

it("F29, F30: logs one line for a request, with the route's pattern and nothing that the caller chose", async () => {
  const { app: own, lines } = await open();
  const canary = "CANARY";
  await own.inject({
    method: "POST",
    url: `/v1/certificates/${canary}%0a%1b[31m/revoke?x=${canary}`,
    headers: {
      ...JSON_TYPE,
      "x-request-id": `${canary}\u2028`,
      cookie: canary,
      "user-agent": canary,
    },
    payload: JSON.stringify({ reason: canary, password: canary, pkcs12: { data: canary } }),
  });
  await own.inject({ url: "/v1/devices", headers: { authorization: `Bearer ${canary}` } });
  expect(lines).toHaveLength(2);
  expect(lines.join("")).not.toContain(canary);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({
    level: 30,
    method: "POST",
    route: "/v1/certificates/:serialNumber/revoke",
    status: 400,
    principal: ID,
  });
});

it("sets the header fields that keep pages and answers to themselves", async () => {
  const { headers } = await app.inject({ url: "/", headers: { accept: "text/html" } });
  expect(headers["content-security-policy"]).toBe(
    "default-src 'none';style-src 'self';img-src 'self';form-action 'self';base-uri 'none';frame-ancestors 'none'",
  );
  expect(headers).not.toHaveProperty("strict-transport-security");
  expect(headers).not.toHaveProperty("access-control-allow-origin");
});

it.for([
  { name: "from this machine", headers: {}, remoteAddress: "127.0.0.1", status: 200 },
  { name: "by IPv6", headers: {}, remoteAddress: "::1", status: 200 },
  {
    name: "through a proxy here",
    headers: { "x-forwarded-for": "192.0.2.1" },
    remoteAddress: "127.0.0.1",
    status: 401,
  },
  { name: "from elsewhere", headers: {}, remoteAddress: "192.0.2.1", status: 401 },
  { name: "from elsewhere with a key", headers: ADMIN, remoteAddress: "192.0.2.1", status: 200 },
  {
    name: "with a key that may not",
    headers: { authorization: "Bearer product" },
    remoteAddress: "192.0.2.1",
    status: 403,
  },
])("answers /metrics $name with $status", async ({ headers, remoteAddress, status }) => {
  const response = await app.inject({ url: "/metrics", headers, remoteAddress });
  expect(response.statusCode).toBe(status);
});

it("counts requests by pattern", async () => {
  await app.inject({ url: "/v1/devices/secret-id", headers: ADMIN });
  const { body } = await app.inject({ url: "/metrics" });
  expect(body).toContain(
    'suido_http_request_seconds_count{method="GET",route="/v1/devices/:id",status="400"} 1',
  );
  expect(body).not.toContain("secret-id");
});

it.for([
  { ready: true, status: 200 },
  { ready: false, status: 503 },
])("/health/ready is $status when ready is $ready", async ({ ready, status }) => {
  const roles = { signer: { ready, detail: "starting" } };
  const { app: own } = await open({ readiness: () => Promise.resolve({ ready, roles }) });
  const response = await own.inject({ url: "/health/ready" });
  expect(response.statusCode).toBe(status);
  expect(response.json()).toEqual({ ready, roles });
});

it("takes an empty body for none where every member may be left out, whatever its media type says", async () => {
  let asked: unknown;
  const { app: own } = await open({
    issuance: {
      issue: () => Promise.reject(new Error("not here")),
      reissue: () => Promise.reject(new Error("not here")),
      renew: (_principal, _serial, wanted) => {
        asked = wanted;
        return Promise.reject(new HttpError("malformed-request", "far enough"));
      },
    },
  });
  await own.inject(post("/v1/certificates/41c3/renew", ""));
  expect(Object.keys(asked ?? {})).toEqual(["onRepeated"]);
});

it("/health/live needs nothing", async () => {
  expect((await app.inject({ url: "/health/live" })).json()).toEqual({ status: "live" });
});

const certificate = {
  serialNumber: parseSerial("41c3"),
  status: "revoked",
  reason: "superseded",
  revokedAt: new Date("2026-11-21T08:00:00Z"),
  notBefore: new Date("2026-11-20T00:00:00Z"),
  notAfter: new Date("2027-12-21T14:59:59Z"),
  issuedAt: new Date("2026-11-20T00:05:00Z"),
  deviceId: ID,
  accountId: ID,
  pharmacyId: ID,
  corporationId: ID,
  profile: "device-client",
  fingerprint: "00".repeat(32),
  keyOrigin: "subject",
  certificate: "-----BEGIN CERTIFICATE-----",
  chain: [],
} as const;

it("answers 202 while the journal has not confirmed a revocation", async () => {
  const { app: own } = await open({
    revocation: {
      revoke: () => Promise.resolve({ certificate, changed: true, journaled: false }),
      unhold: () => Promise.reject(new Error("not here")),
    },
  });
  const response = await own.inject(
    post("/v1/certificates/41c3/revoke", '{"reason":"superseded"}'),
  );
  expect(response.statusCode).toBe(202);
  expect(response.json()).toMatchObject({
    journaled: false,
    status: "revoked",
    revokedAt: "2026-11-21T08:00:00.000Z",
  });
});

const notHere = (): Promise<never> => Promise.reject(new Error("not here"));

it("counts certificates and revocations, not their repetitions", async () => {
  let isRepeated = false;
  const issue: AppServerOptions["issuance"]["issue"] = (_principal, { onRepeated }) => {
    if (isRepeated) onRepeated?.();
    return Promise.resolve({ ...certificate, status: "good" });
  };
  const { app: own } = await open({
    issuance: { issue, renew: notHere, reissue: notHere },
    revocation: {
      revoke: () => Promise.resolve({ certificate, changed: !isRepeated, journaled: true }),
      unhold: notHere,
    },
  });
  const wanted = JSON.stringify({ accountId: ID, deviceId: ID });
  for (isRepeated of [false, true, true]) {
    await own.inject(post("/v1/certificates", wanted));
    await own.inject(post("/v1/certificates/41c3/revoke", '{"reason":"superseded"}'));
  }
  const figures = (await own.inject({ url: "/metrics", headers: ADMIN })).body;
  expect(figures).toContain("\nsuido_certificates_issued_total 1\n");
  expect(figures).toContain('\nsuido_certificates_revoked_total{reason="superseded"} 1\n');
});
