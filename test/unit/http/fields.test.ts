import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, it } from "vitest";

import { ADMIN, appWith, post } from "./app.ts";

let app: FastifyInstance;
beforeAll(async () => {
  ({ app } = await appWith());
});
afterAll(() => app.close());

const ID = "019aa5f0-3c5e-7b1a-9d52-6f0d6c1f7a10";

it("names 50 faults at most", async () => {
  const members = Array.from({ length: 5_000 }, (_, i) => [`m${i}`, i]);
  const body = JSON.stringify(Object.fromEntries(members));
  const response = await app.inject(post("/v1/corporations", body));
  expect(response.statusCode).toBe(400);
  expect(response.json<{ errors: unknown[] }>().errors).toHaveLength(50);
  expect(response.body.length).toBeLessThan(10_000);
});

const account = (members: object): string =>
  JSON.stringify({ corporationId: ID, name: "薬師", ...members });

it.for([
  {
    name: "an unknown member",
    url: "/v1/corporations",
    body: '{"name":"a","nmae":"b"}',
    field: "nmae",
    detail: "is not known here",
  },
  {
    name: "a missing member",
    url: "/v1/corporations",
    body: "{}",
    field: "name",
    detail: "is missing",
  },
  {
    name: "a number for text",
    url: "/v1/corporations",
    body: '{"name":5}',
    field: "name",
    detail: "must be a string",
  },
  {
    name: "no object",
    url: "/v1/corporations",
    body: "[]",
    field: "body",
    detail: "must be an object",
  },
  {
    name: "null",
    url: "/v1/corporations",
    body: "null",
    field: "body",
    detail: "must be an object",
  },
  {
    name: "an empty name",
    url: "/v1/corporations",
    body: '{"name":""}',
    field: "name",
    detail: "must not be empty",
  },
  {
    name: "a NUL",
    url: "/v1/corporations",
    body: '{"name":"a\\u0000"}',
    field: "name",
    detail: "must not hold control characters or unpaired surrogates",
  },
  {
    name: "half a character",
    url: "/v1/corporations",
    body: '{"name":"\\ud83d"}',
    field: "name",
    detail: "must not hold control characters or unpaired surrogates",
  },
  {
    name: "a long name",
    url: "/v1/corporations",
    body: JSON.stringify({ name: "あ".repeat(201) }),
    field: "name",
    detail: "must have at most 200 characters",
  },
  {
    name: "a nested member",
    url: "/v1/accounts",
    body: account({ identities: [{ subject: "a" }] }),
    field: "identities[0].issuer",
    detail: "is missing",
  },
  {
    name: "an unknown nested member",
    url: "/v1/accounts",
    body: account({ identities: [{ issuer: "a", subject: "b", "x.y/z": 1 }] }),
    field: "identities[0].x.y/z",
    detail: "is not known here",
  },
  {
    name: "text for a boolean",
    url: "/v1/accounts",
    body: account({ emailShared: "true" }),
    field: "emailShared",
    detail: "must be true or false",
  },
  {
    name: "a wrong id",
    url: "/v1/pharmacies",
    body: '{"corporationId":"1","name":"a"}',
    field: "corporationId",
    detail: "must be a UUID",
  },
  {
    name: "a wrong word",
    url: "/v1/devices",
    body: JSON.stringify({ pharmacyId: ID, name: "a", platform: "amiga" }),
    field: "platform",
    detail: "must be one of windows, macos, ios, ipados, android, chromeos, linux, other",
  },
  {
    name: "a wrong time",
    url: "/v1/memberships",
    body: JSON.stringify({ accountId: ID, pharmacyId: ID, role: "manager", from: "tomorrow" }),
    field: "from",
    detail: "must be a time of RFC 3339 such as 2026-11-21T09:00:00Z",
  },
  {
    name: "a reason that is none",
    url: "/v1/certificates/41c3/revoke",
    body: '{"reason":"removeFromCRL"}',
    field: "reason",
    detail:
      "must be one of unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation, certificateHold, privilegeWithdrawn, aACompromise",
  },
  {
    name: "a wrong serial number",
    url: "/v1/certificates/0x41C3/revoke",
    body: '{"reason":"superseded"}',
    field: "serialNumber",
    detail: "must be lower-case hex of whole octets, without a prefix or leading 00",
  },
])("names the field of $name", async ({ url, body, field, detail }) => {
  const response = await app.inject(post(url, body));
  expect(response.statusCode).toBe(400);
  expect(response.json()).toMatchObject({
    type: "/problems/invalid-request",
    errors: [{ field, detail }],
  });
});

it("names all fields at once", async () => {
  const response = await app.inject(post("/v1/devices", '{"extra":1,"name":2}'));
  const { errors } = response.json<{ errors: { field: string }[] }>();
  expect(errors.map(({ field }) => field).toSorted()).toEqual([
    "extra",
    "name",
    "pharmacyId",
    "platform",
  ]);
});

it("refuses a time on a day that the calendar does not have", async () => {
  const body = { accountId: ID, pharmacyId: ID, role: "manager", to: "2027-02-30T00:00:00Z" };
  const response = await app.inject(post("/v1/memberships", JSON.stringify(body)));
  expect(response.statusCode).toBe(422);
  expect(response.json()).toMatchObject({ errors: [{ field: "to" }] });
});

it.for([
  { query: "limit=0", field: "limit" },
  { query: "limit=201", field: "limit" },
  { query: "limit=ten", field: "limit" },
  { query: "limit=1.5", field: "limit" },
  { query: "limit=5&limit=6", field: "limit" },
  { query: "page=2", field: "page" },
  { query: "after=%00", field: "after" },
  { query: "pharmacyId=x", field: "pharmacyId" },
])("refuses ?$query by name", async ({ query, field }) => {
  const response = await app.inject({ url: `/v1/devices?${query}`, headers: ADMIN });
  expect(response.statusCode).toBe(400);
  expect(response.json()).toMatchObject({ errors: [{ field }] });
});
