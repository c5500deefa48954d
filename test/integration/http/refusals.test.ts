import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, expect, it } from "vitest";

import { newCsr, newKey } from "../ca/app-side.ts";
import { type Call, type HttpWorld, type Method, openHttpWorld, type Tenant } from "./world.ts";

let world: HttpWorld;
let tenant: Tenant;
let other: Tenant;
/** A good certificate of `tenant`, one revoked as superseded, and the key of a good one of `other`. */
let good: string;
let revoked: string;
let othersKey: string;
/** A cursor of a page of accounts, and a device that is retired. */
let othersCursor: string;
let retired: string;

beforeAll(async () => {
  world = await openHttpWorld();
  tenant = await world.tenant("甲薬局");
  other = await world.tenant("乙薬局");
  const issue = async ({ accountId, deviceId }: Tenant, csr = newCsr()): Promise<string> => {
    const { status, body } = await world.call("POST", "/v1/certificates", {
      body: { accountId, deviceId, csr },
    });
    expect(status).toBe(201);
    return body.serialNumber;
  };
  good = await issue(tenant);
  revoked = await issue(tenant);
  await world.call("POST", `/v1/certificates/${revoked}/revoke`, {
    body: { reason: "superseded" },
  });
  const third = await world.tenant("丙薬局");
  const last = await issue(third);
  await world.call("POST", `/v1/certificates/${last}/revoke`, { body: { reason: "superseded" } });
  await world.call("DELETE", `/v1/devices/${third.deviceId}`);
  retired = third.deviceId;
  const { body } = await world.call("GET", "/v1/accounts?limit=1");
  othersCursor = body.nextCursor ?? "";
  othersKey = newKey();
  await issue(other, newCsr(othersKey));
});
afterAll(() => world.close());

/** The request with one character of the signature changed, still DER and PEM. */
function withBadSignature(csr: string): string {
  const der = Buffer.from(csr.replaceAll(/-----[A-Z ]+-----|\s/g, ""), "base64");
  der[der.length - 3] = (der[der.length - 3] ?? 0) ^ 1;
  const base64 = der.toString("base64").replaceAll(/(.{64})/g, "$1\n");
  return `-----BEGIN CERTIFICATE REQUEST-----\n${base64}\n-----END CERTIFICATE REQUEST-----\n`;
}

interface Refusal {
  readonly name: string;
  readonly request: () => readonly [Method, string, Call];
  readonly status: number;
  readonly type: string;
  readonly field?: string;
}

const certificate = (members: object): readonly [Method, string, Call] => [
  "POST",
  "/v1/certificates",
  { body: { accountId: tenant.accountId, deviceId: tenant.deviceId, ...members } },
];

const REFUSALS: readonly Refusal[] = [
  {
    name: "an unknown field",
    request: () => certificate({ subject: "CN=me" }),
    status: 400,
    type: "invalid-request",
    field: "subject",
  },
  {
    name: "a wrong id",
    request: () => certificate({ deviceId: "1" }),
    status: 400,
    type: "invalid-request",
    field: "deviceId",
  },
  {
    name: "a device that is not there",
    request: () => certificate({ deviceId: randomUUID() }),
    status: 404,
    type: "not-found",
    field: "deviceId",
  },
  {
    name: "an account that is not there",
    request: () => certificate({ accountId: randomUUID() }),
    status: 404,
    type: "not-found",
    field: "accountId",
  },
  {
    name: "an account of another corporation",
    request: () => certificate({ accountId: other.accountId }),
    status: 404,
    type: "not-found",
    field: "accountId",
  },
  {
    name: "an unknown profile",
    request: () => certificate({ profile: "root" }),
    status: 422,
    type: "profile-unknown",
    field: "profile",
  },
  {
    name: "a CSR that is no PEM",
    request: () => certificate({ csr: "hello" }),
    status: 400,
    type: "malformed-csr",
    field: "csr",
  },
  {
    name: "a CSR of garbage",
    request: () =>
      certificate({
        csr: "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
      }),
    status: 400,
    type: "malformed-csr",
    field: "csr",
  },
  {
    name: "a CSR with a bad signature",
    request: () => certificate({ csr: withBadSignature(newCsr()) }),
    status: 422,
    type: "bad-proof-of-possession",
    field: "csr",
  },
  {
    name: "a weak key",
    request: () =>
      certificate({
        csr: newCsr(newKey(["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"])),
      }),
    status: 422,
    type: "weak-key",
    field: "csr",
  },
  {
    name: "a key of another binding",
    request: () => certificate({ csr: newCsr(othersKey) }),
    status: 409,
    type: "key-in-use",
    field: "csr",
  },
  {
    name: "a body over the limit",
    request: () => certificate({ csr: "a".repeat(70_000) }),
    status: 413,
    type: "content-too-large",
  },
  {
    name: "an unknown serial",
    request: () => ["GET", "/v1/certificates/41c39e07b25d4f6a8c10e7725f3d8d12", {}],
    status: 404,
    type: "not-found",
  },
  {
    name: "a serial with colons",
    request: () => ["GET", "/v1/certificates/41:c3", {}],
    status: 400,
    type: "invalid-request",
    field: "serialNumber",
  },
  {
    name: "a serial beyond 20 octets",
    request: () => ["GET", `/v1/status/${"41".repeat(21)}`, {}],
    status: 400,
    type: "invalid-request",
    field: "serialNumber",
  },
  {
    name: "a serial that is too large a number",
    request: () => ["GET", `/v1/status/${"ff".repeat(20)}`, {}],
    status: 400,
    type: "invalid-serial",
    field: "serialNumber",
  },
  {
    name: "a second revocation with another reason",
    request: () => [
      "POST",
      `/v1/certificates/${revoked}/revoke`,
      { body: { reason: "cessationOfOperation" } },
    ],
    status: 409,
    type: "already-revoked",
  },
  {
    name: "the end of a hold that is none",
    request: () => ["POST", `/v1/certificates/${good}/unhold`, {}],
    status: 409,
    type: "invalid-state",
  },
  {
    name: "the renewal of a revoked one",
    request: () => ["POST", `/v1/certificates/${revoked}/renew`, { body: { csr: newCsr() } }],
    status: 409,
    type: "invalid-state",
  },
  {
    name: "a code that is taken",
    request: () => [
      "POST",
      "/v1/pharmacies",
      { body: { corporationId: tenant.corporationId, name: "a", code: "001" } },
    ],
    status: 409,
    type: "conflict",
    field: "code",
  },
  {
    name: "a name that is taken",
    request: () => [
      "POST",
      "/v1/devices",
      { body: { pharmacyId: tenant.pharmacyId, name: "受付1号機", platform: "ios" } },
    ],
    status: 409,
    type: "conflict",
    field: "name",
  },
  {
    name: "two addresses in one",
    request: () => [
      "POST",
      "/v1/accounts",
      {
        body: {
          corporationId: tenant.corporationId,
          name: "a",
          email: "a@example.jp,b@example.jp",
        },
      },
    ],
    status: 422,
    type: "invalid-value",
    field: "email",
  },
  {
    name: "a name of spaces",
    request: () => ["POST", "/v1/corporations", { body: { name: "   " } }],
    status: 422,
    type: "invalid-value",
    field: "name",
  },
  {
    name: "a name that runs backwards",
    request: () => ["POST", "/v1/corporations", { body: { name: "a\u202Eb" } }],
    status: 422,
    type: "invalid-value",
    field: "name",
  },
  {
    name: "a membership across corporations",
    request: () => [
      "POST",
      "/v1/memberships",
      { body: { accountId: tenant.accountId, pharmacyId: other.pharmacyId, role: "manager" } },
    ],
    status: 404,
    type: "not-found",
  },
  {
    name: "a corporation that is in use",
    request: () => ["DELETE", `/v1/corporations/${tenant.corporationId}`, {}],
    status: 409,
    type: "still-in-use",
  },
  {
    name: "a cursor that is none of ours",
    request: () => ["GET", "/v1/devices?after=abc", {}],
    status: 422,
    type: "invalid-value",
    field: "after",
  },
  {
    name: "a cursor of another collection",
    request: () => ["GET", `/v1/devices?after=${othersCursor}`, {}],
    status: 422,
    type: "invalid-value",
    field: "after",
  },
  ...["", "/renew", "/reissue", "/unhold"].map((verb) => ({
    name: `a certificate${verb} that is not there`,
    request: (): readonly [Method, string, Call] => [
      verb === "" ? "GET" : "POST",
      `/v1/certificates/${"40".repeat(16)}${verb}`,
      {},
    ],
    status: 404,
    type: "not-found",
    field: "serialNumber",
  })),
  ...["renew", "unhold"].map((verb) => ({
    name: `to ${verb} a certificate that is revoked`,
    request: (): readonly [Method, string, Call] => [
      "POST",
      `/v1/certificates/${revoked}/${verb}`,
      {},
    ],
    status: 409,
    type: "invalid-state",
    field: "serialNumber",
  })),
  {
    name: "to change a device that is retired",
    request: () => ["PATCH", `/v1/devices/${retired}`, { body: { name: "新" } }],
    status: 409,
    type: "conflict",
    field: "id",
  },
  {
    name: "a new corporation by a bound key",
    request: () => ["POST", "/v1/corporations", { key: tenant.key, body: { name: "丙" } }],
    status: 403,
    type: "outside-scope",
  },
  {
    name: "a wrong key",
    request: () => ["GET", "/v1/devices", { key: `suido_adm_${"A".repeat(43)}` }],
    status: 401,
    type: "unauthorized",
  },
];

it.for(REFUSALS)(
  "refuses $name with $status, and changes nothing",
  async ({ request, status, type, field }) => {
    const before = await world.counts();
    const answer = await world.call(...request());
    expect(answer).toMatchObject({ status, body: { type: `/problems/${type}`, status } });
    const fields = answer.body.errors?.map((fault) => fault.field) ?? [];
    expect(fields).toEqual(expect.arrayContaining(field === undefined ? [] : [field]));
    expect(await world.counts()).toEqual(before);
  },
);

it("refuses an account that is no member of the device's pharmacy, by name", async () => {
  const account = await world.call("POST", "/v1/accounts", {
    body: { corporationId: tenant.corporationId, name: "よそ者" },
  });
  const before = await world.counts();
  const answer = await world.call(...certificate({ accountId: account.body.id }));
  expect(answer).toMatchObject({
    status: 422,
    body: { type: "/problems/not-a-member", errors: [{ field: "accountId" }] },
  });
  expect(await world.counts()).toEqual(before);
});
