import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { newCsr } from "../ca/app-side.ts";
import { type HttpWorld, type Method, openHttpWorld, type Tenant } from "./world.ts";

let world: HttpWorld;
let tenant: Tenant;
let other: Tenant;
/** The serial number of a good certificate of `tenant`. */
let good: string;

beforeAll(async () => {
  world = await openHttpWorld();
  tenant = await world.tenant("甲薬局");
  other = await world.tenant("乙薬局");
  const { accountId, deviceId } = tenant;
  const { body } = await world.call("POST", "/v1/certificates", {
    body: { accountId, deviceId, csr: newCsr() },
  });
  good = body.serialNumber;
});
afterAll(() => world.close());

/** What is written in each address of the document, for a tenant. */
function pathFor(
  template: string,
  ids: { serialNumber: string; byPath: Readonly<Record<string, string>> },
): string {
  const resource = /^\/v1\/([a-z-]+)/.exec(template)?.[1] ?? "";
  return template
    .replace("{serialNumber}", ids.serialNumber)
    .replace("{factorId}", randomUUID())
    .replace("{id}", ids.byPath[resource] ?? randomUUID());
}

/** A body that each call takes, so that nothing but the id can be wrong. */
const BODIES: Readonly<Record<string, unknown>> = {
  "patch /v1/corporations/{id}": { name: "a" },
  "patch /v1/pharmacies/{id}": { name: "a" },
  "patch /v1/accounts/{id}": { name: "a" },
  "patch /v1/memberships/{id}": { role: "pharmacist" },
  "patch /v1/devices/{id}": { name: "a" },
  "patch /v1/relying-parties/{id}": { name: "a" },
  "post /v1/stages/{id}/confirm": {},
  "post /v1/bulk-issues/{id}/collect": {},
  "post /v1/accounts/{id}/factor-links": { how: "telephone" },
  "post /v1/enrolments/{id}/withdraw": {},
  "post /v1/enrolments/{id}/confirm": { how: "telephone" },
  "post /v1/enrolments/{id}/sheet": {},
  "post /v1/enrolment-batches/{id}/sheet": {},
  "post /v1/certificates/{serialNumber}/renew": {},
  "post /v1/certificates/{serialNumber}/reissue": {},
  "post /v1/certificates/{serialNumber}/revoke": { reason: "keyCompromise" },
  "post /v1/certificates/{serialNumber}/unhold": {},
  "post /v1/certificates/{serialNumber}/checks": {},
  "post /v1/tasks/{id}/close": {},
  "post /v1/certificates/{serialNumber}/renew-now": { reason: "incident" },
};

describe("F24: what is another corporation's", () => {
  it("is not found, just as what does not exist, on every route and for every role", async () => {
    const { corporationId, pharmacyId } = tenant;
    const waiting = await world.call("PUT", "/v1/stages", {
      body: { product: "records", pharmacyId, stage: "enforce" },
    });
    expect(waiting).toMatchObject({ status: 202, body: { corporationId } });
    const { accountId, deviceId } = tenant;
    const bulk = await world.call("POST", "/v1/bulk-issues", {
      body: { corporationId, items: [{ accountId, deviceId, csr: newCsr() }] },
    });
    expect(bulk).toMatchObject({ status: 202, body: { corporationId } });
    const enrolment = await world.call("POST", "/v1/enrolments", { body: { accountId, deviceId } });
    expect(enrolment).toMatchObject({ status: 201, body: { corporationId } });
    const batch = await world.call("POST", "/v1/enrolment-batches", {
      key: tenant.key,
      headers: { "content-type": "text/csv" },
      body: `account,device\n${accountId},${deviceId}\n`,
    });
    expect(batch).toMatchObject({ status: 201, body: { corporationId } });
    const [task] = await world.side.admin.query<{ id: string }>(
      `insert into app.task (corporation_id, kind, subject, facts, opened_at) values ($1, 'untold', 'certificate/00', '{}', now()) returning id`,
      [corporationId],
    );
    const owned = {
      serialNumber: good,
      byPath: {
        corporations: tenant.corporationId,
        pharmacies: tenant.pharmacyId,
        accounts: tenant.accountId,
        memberships: tenant.membershipId,
        devices: tenant.deviceId,
        stages: waiting.body.id,
        "bulk-issues": bulk.body.id,
        enrolments: enrolment.body.id,
        "enrolment-batches": batch.body.id,
        tasks: task?.id ?? "",
        "api-keys": (await world.newKey("support", tenant.corporationId)).id,
      },
    };
    const missing = { serialNumber: "41c39e07b25d4f6a8c10e7725f3d8d12", byPath: {} };
    const roles = ["admin", "operator", "support", "auditor", "product", "proxy"] as const;
    const keys = await Promise.all(
      roles.map(async (role) => (await world.newKey(role, other.corporationId)).key),
    );
    const before = await world.counts();
    let asked = 0;
    for (const [template, operations] of Object.entries(world.document.paths)) {
      if (!template.includes("{")) continue;
      for (const method of Object.keys(operations)) {
        for (const key of keys) {
          const body = BODIES[`${method} ${template}`];
          const call = { key, ...(body !== undefined && { body }) };
          const foreign = await world.call(
            method.toUpperCase() as Method,
            pathFor(template, owned),
            call,
          );
          const absent = await world.call(
            method.toUpperCase() as Method,
            pathFor(template, missing),
            call,
          );
          expect([403, 404]).toContain(foreign.status);
          expect({ ...foreign.body, instance: "" }).toEqual({ ...absent.body, instance: "" });
          asked += 1;
        }
      }
    }
    expect(asked).toBeGreaterThan(100);
    expect(await world.counts()).toEqual(before);
  });

  it("is in no list, whatever is asked for", async () => {
    const lists = [
      "corporations",
      "pharmacies",
      "accounts",
      "memberships",
      "devices",
      "certificates",
      "stages",
      "enrolments",
      "enrolment-batches",
      "tasks",
      "api-keys",
    ];
    for (const list of lists) {
      const { status, body } = await world.call("GET", `/v1/${list}?limit=200`, { key: other.key });
      expect(status).toBe(200);
      expect(JSON.stringify(body)).not.toContain(tenant.corporationId);
    }
    for (const query of [
      `devices?corporationId=${tenant.corporationId}`,
      `certificates?deviceId=${tenant.deviceId}`,
      `accounts?corporationId=${tenant.corporationId}`,
      `enrolments?deviceId=${tenant.deviceId}`,
    ]) {
      const { body } = await world.call("GET", `/v1/${query}`, { key: other.key });
      expect(body.items).toEqual([]);
    }
  });

  it("cannot be referred to", async () => {
    const before = await world.counts();
    const calls: readonly (readonly [string, object])[] = [
      ["pharmacies", { corporationId: tenant.corporationId, name: "a" }],
      ["accounts", { corporationId: tenant.corporationId, name: "a" }],
      [
        "memberships",
        { accountId: tenant.accountId, pharmacyId: tenant.pharmacyId, role: "manager" },
      ],
      ["devices", { pharmacyId: tenant.pharmacyId, name: "a", platform: "ios" }],
      ["certificates", { accountId: tenant.accountId, deviceId: tenant.deviceId }],
      ["enrolments", { accountId: tenant.accountId, deviceId: tenant.deviceId }],
      ["enrolments", { accountId: tenant.accountId, pharmacyId: tenant.pharmacyId, count: 1 }],
    ];
    for (const [path, body] of calls) {
      const answer = await world.call("POST", `/v1/${path}`, { key: other.key, body });
      expect(answer).toMatchObject({ status: 404, body: { type: "/problems/not-found" } });
    }
    expect(await world.counts()).toEqual(before);
  });
});
