import { X509Certificate } from "node:crypto";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { newCsr } from "../ca/app-side.ts";
import { type HttpWorld, openHttpWorld, type Tenant } from "./world.ts";

let world: HttpWorld;
let tenant: Tenant;
beforeAll(async () => {
  world = await openHttpWorld();
  tenant = await world.tenant("株式会社みずき薬局");
});
afterAll(() => world.close());

describe("the registry", () => {
  it("creates with 201, the id and where it is, and finds, lists, changes and removes it", async () => {
    const { corporationId } = tenant;
    const made = await world.call("POST", "/v1/pharmacies", {
      body: { corporationId, name: "駅前店", code: "002" },
    });
    const { id } = made.body;
    expect(made).toMatchObject({ status: 201, headers: { location: `/v1/pharmacies/${id}` } });
    expect((await world.call("GET", `/v1/pharmacies/${id}`)).body).toEqual(made.body);
    const changed = await world.call("PATCH", `/v1/pharmacies/${id}`, { body: { code: null } });
    expect(changed).toMatchObject({ status: 200, body: { id, name: "駅前店" } });
    expect(changed.body).not.toHaveProperty("code");
    const listed = await world.call("GET", `/v1/pharmacies?corporationId=${corporationId}`);
    expect(listed.body.items.map((item) => item.id)).toContain(id);
    expect(await world.call("DELETE", `/v1/pharmacies/${id}`)).toMatchObject({ status: 204 });
    expect(await world.call("GET", `/v1/pharmacies/${id}`)).toMatchObject({ status: 404 });
  });

  it("writes times in RFC 3339, UTC", async () => {
    const { body } = await world.call("GET", `/v1/devices/${tenant.deviceId}`);
    expect(body.createdAt).toBe("2026-11-21T03:00:00.000Z");
  });

  it("keeps an account's identities, external ids and locale, and disables it", async () => {
    const wanted = {
      corporationId: tenant.corporationId,
      name: "薬師 花子",
      email: "hanako@example.jp",
      emailShared: true,
      locale: "en",
      identities: [{ issuer: "https://id.example.jp", subject: "42" }],
      externalIds: [{ system: "musubi", value: "u-42" }],
    };
    const made = await world.call("POST", "/v1/accounts", { body: wanted });
    expect(made).toMatchObject({ status: 201, body: { ...wanted, disabled: false } });
    const path = `/v1/accounts/${made.body.id}`;
    expect(await world.call("PATCH", path, { body: { disabled: true } })).toMatchObject({
      status: 200,
      body: { disabled: true },
    });
    const found = await world.call("GET", "/v1/accounts?email=HANAKO@example.jp");
    expect(found.body.items).toHaveLength(1);
  });

  it("ends a membership at a time", async () => {
    const account = await world.call("POST", "/v1/accounts", {
      body: { corporationId: tenant.corporationId, name: "短期" },
    });
    const made = await world.call("POST", "/v1/memberships", {
      body: {
        accountId: account.body.id,
        pharmacyId: tenant.pharmacyId,
        role: "pharmacist",
        from: "2026-11-01T00:00:00+09:00",
      },
    });
    expect(made).toMatchObject({ status: 201, body: { from: "2026-10-31T15:00:00.000Z" } });
    const path = `/v1/memberships/${made.body.id}`;
    const ended = await world.call("PATCH", path, { body: { to: "2027-01-01T00:00:00Z" } });
    expect(ended).toMatchObject({ status: 200, body: { to: "2027-01-01T00:00:00.000Z" } });
  });

  it("pages through everything once, by cursor", async () => {
    for (let i = 0; i < 5; i++)
      await world.call("POST", "/v1/corporations", { body: { name: `会社${i}` } });
    const seen: string[] = [];
    let after = "";
    for (;;) {
      const { status, body } = await world.call("GET", `/v1/corporations?limit=2${after}`);
      expect(status).toBe(200);
      seen.push(...body.items.map((item) => item.id));
      if (body.nextCursor === undefined) break;
      after = `&after=${body.nextCursor}`;
    }
    expect(seen.length).toBeGreaterThanOrEqual(6);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it("does a creation once for each Idempotency-Key, and refuses the key for another", async () => {
    const sent = { body: { name: "一度だけ" }, idempotencyKey: "once-1" };
    const first = await world.call("POST", "/v1/corporations", sent);
    const before = await world.counts();
    const second = await world.call("POST", "/v1/corporations", sent);
    expect(second).toMatchObject({
      status: 201,
      body: first.body,
      headers: { "idempotency-replayed": "true" },
    });
    expect(first.headers).not.toHaveProperty("idempotency-replayed");
    const other = await world.call("POST", "/v1/corporations", { ...sent, body: { name: "別" } });
    expect(other).toMatchObject({
      status: 422,
      body: { type: "/problems/idempotency-key-reused" },
    });
    expect(await world.counts()).toEqual(before);
  });
});

describe("certificates", () => {
  it("issues for a CSR: PEM, the issuing CA first in the chain, no bundle", async () => {
    const { accountId, deviceId } = tenant;
    const { status, body, headers } = await world.call("POST", "/v1/certificates", {
      body: { accountId, deviceId, csr: newCsr() },
    });
    expect(status).toBe(201);
    expect(headers["location"]).toBe(`/v1/certificates/${body.serialNumber}`);
    expect(body).not.toHaveProperty("pkcs12");
    const issuing = new X509Certificate(body.chain[0] ?? "");
    const root = new X509Certificate(body.chain[1] ?? "");
    const leaf = new X509Certificate(body.certificate);
    expect(leaf.checkIssued(issuing)).toBe(true);
    expect(issuing.checkIssued(root)).toBe(true);
    expect(leaf.serialNumber.toLowerCase()).toBe(body.serialNumber);
    expect(await world.call("GET", `/v1/certificates/${body.serialNumber}`)).toMatchObject({
      status: 200,
      body: { status: "good", fingerprint: leaf.fingerprint256.replaceAll(":", "").toLowerCase() },
    });
  });

  it("gives the bundle of a key that it made once, and a replay without it", async () => {
    const { accountId, deviceId } = tenant;
    const sent = { body: { accountId, deviceId, bundle: "modern" }, idempotencyKey: "bundle-1" };
    const first = await world.call("POST", "/v1/certificates", sent);
    expect(first.status).toBe(201);
    expect(first.body.pkcs12.password).toMatch(/^\S{20,}$/);
    expect(Buffer.from(first.body.pkcs12.data, "base64").length).toBeGreaterThan(1_000);
    const second = await world.call("POST", "/v1/certificates", sent);
    expect(second).toMatchObject({
      status: 201,
      headers: { "idempotency-replayed": "true" },
      body: { serialNumber: first.body.serialNumber, bundleDelivered: true },
    });
    expect(second.body).not.toHaveProperty("pkcs12");
  });

  it("searches by fingerprint, account, device and status", async () => {
    const own = await world.tenant("検索");
    const { accountId, deviceId } = own;
    const { body } = await world.call("POST", "/v1/certificates", {
      body: { accountId, deviceId, csr: newCsr() },
    });
    for (const query of [
      `fingerprint=${body.fingerprint}`,
      `fingerprint=${body.fingerprint.toUpperCase().replaceAll(/(..)(?=.)/g, "$1:")}`,
      `accountId=${accountId}`,
      `deviceId=${deviceId}&status=good`,
      `corporationId=${own.corporationId}`,
    ]) {
      const found = await world.call("GET", `/v1/certificates?${query}`);
      expect(found.body.items.map((item) => item.serialNumber)).toEqual([body.serialNumber]);
    }
    const none = await world.call("GET", `/v1/certificates?deviceId=${deviceId}&status=revoked`);
    expect(none.body.items).toEqual([]);
  });

  it("renews, reissues, revokes, and tells a product of it", async () => {
    const { accountId, deviceId } = await world.tenant("更新");
    const old = await world.call("POST", "/v1/certificates", {
      body: { accountId, deviceId, csr: newCsr() },
    });
    const renewed = await world.call("POST", `/v1/certificates/${old.body.serialNumber}/renew`, {
      body: { csr: newCsr() },
    });
    expect(renewed).toMatchObject({ status: 201, body: { replaces: old.body.serialNumber } });
    const status = await world.call(
      "GET",
      `/v1/status/${old.body.serialNumber}?account=${accountId}`,
    );
    expect(status).toMatchObject({
      status: 200,
      body: {
        status: "good",
        replacedBy: renewed.body.serialNumber,
        device: { id: deviceId, platform: "windows" },
        account: { id: accountId },
        mayUse: true,
      },
    });
    const revoke = `/v1/certificates/${old.body.serialNumber}/revoke`;
    const revoked = await world.call("POST", revoke, { body: { reason: "superseded" } });
    expect(revoked).toMatchObject({
      status: 200,
      body: { status: "revoked", reason: "superseded", journaled: true },
    });
    expect(await world.call("POST", revoke, { body: { reason: "superseded" } })).toMatchObject({
      status: 200,
    });
    const reissued = await world.call("POST", `/v1/certificates/${old.body.serialNumber}/reissue`, {
      body: { csr: newCsr() },
    });
    expect(reissued.status).toBe(201);
    const lineage = await world.call("GET", `/v1/devices/${deviceId}/certificates`);
    expect(lineage.body.items).toHaveLength(3);
    expect(
      lineage.body.items.filter((item) => item.current).map((item) => item.serialNumber),
    ).toContain(reissued.body.serialNumber);
  });

  it("holds, and releases without a body", async () => {
    const { accountId, deviceId } = await world.tenant("保留");
    const { body } = await world.call("POST", "/v1/certificates", {
      body: { accountId, deviceId, csr: newCsr() },
    });
    const path = `/v1/certificates/${body.serialNumber}`;
    expect(
      await world.call("POST", `${path}/revoke`, { body: { reason: "certificateHold" } }),
    ).toMatchObject({
      status: 200,
      body: { status: "hold", reason: "certificateHold" },
    });
    const released = await world.call("POST", `${path}/unhold`);
    expect(released).toMatchObject({ status: 200, body: { status: "good" } });
    expect(released.body).not.toHaveProperty("reason");
  });

  it("answers 503 while the signer is away, and finishes with the same Idempotency-Key", async () => {
    const { accountId, deviceId } = await world.tenant("署名待ち");
    const sent = { body: { accountId, deviceId, csr: newCsr() }, idempotencyKey: "away-1" };
    world.side.signer.isAway = true;
    const away = await world.call("POST", "/v1/certificates", sent);
    world.side.signer.isAway = false;
    expect(away).toMatchObject({
      status: 503,
      headers: { "retry-after": "5" },
      body: { type: "/problems/signer-unavailable" },
    });
    expect(await world.call("POST", "/v1/certificates", sent)).toMatchObject({ status: 201 });
  });

  it("revokes with 202 while the journal is away", async () => {
    const { accountId, deviceId } = await world.tenant("ジャーナル待ち");
    const { body } = await world.call("POST", "/v1/certificates", {
      body: { accountId, deviceId, csr: newCsr() },
    });
    world.side.signer.isAway = true;
    const revoked = await world.call("POST", `/v1/certificates/${body.serialNumber}/revoke`, {
      body: { reason: "keyCompromise" },
    });
    world.side.signer.isAway = false;
    expect(revoked).toMatchObject({ status: 202, body: { status: "revoked", journaled: false } });
  });
});

describe("API keys", () => {
  it("lists them without secrets, and revokes one at once", async () => {
    const { id, key } = await world.newKey("support");
    expect(await world.call("GET", "/v1/devices", { key })).toMatchObject({ status: 200 });
    const listed = await world.call("GET", "/v1/api-keys?limit=200");
    const found = listed.body.items.find((item) => item.id === id);
    expect(found).toMatchObject({ role: "support" });
    expect(JSON.stringify(listed.body)).not.toContain(key);
    expect(await world.call("DELETE", `/v1/api-keys/${id}`)).toMatchObject({ status: 204 });
    expect(await world.call("GET", "/v1/devices", { key })).toMatchObject({ status: 401 });
  });
});
