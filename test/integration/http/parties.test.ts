import { createHash, X509Certificate } from "node:crypto";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { newCsr } from "../ca/app-side.ts";
import { type HttpWorld, openHttpWorld, type Tenant } from "./world.ts";

const MINUTE_MS = 60_000;

let world: HttpWorld;
let tenant: Tenant;

beforeAll(async () => {
  world = await openHttpWorld();
  tenant = await world.tenant("甲薬局");
});
afterAll(() => world.close());

const party = (name: string, uses: readonly string[], more: object = {}) =>
  world.call("POST", "/v1/relying-parties", { body: { name, product: "musubi", uses, ...more } });

async function registered(name: string, uses: readonly string[], more: object = {}) {
  const { body } = await party(name, uses, more);
  const { key } = await world.partyKey(name);
  return { id: body.id, key };
}

async function issued(): Promise<string> {
  const { accountId, deviceId } = tenant;
  const call = { body: { accountId, deviceId, csr: newCsr() } };
  return (await world.call("POST", "/v1/certificates", call)).body.serialNumber;
}

const revoke = (serialNumber: string, reason = "keyCompromise") =>
  world.call("POST", `/v1/certificates/${serialNumber}/revoke`, { body: { reason } });

async function fingerprints(): Promise<Record<string, string>> {
  const rows = await world.side.admin.query<{ id: string; certificate: Buffer }>(
    "select id, certificate from ca.issuer",
  );
  return Object.fromEntries(
    rows.map(({ id, certificate }) => [id, createHash("sha256").update(certificate).digest("hex")]),
  );
}

/** The number of the list that is current. */
async function currentNumber(issuerId: string): Promise<string> {
  const [row] = await world.side.admin.query<{ number: string }>(
    "select number from ca.list where issuer_id = $1 and scope = 'full' and current",
    [issuerId],
  );
  return row?.number ?? "";
}

async function acknowledge(key: string, numbers: Readonly<Record<string, string>>) {
  const known = await fingerprints();
  const lists = Object.entries(numbers).map(([id, number]) => ({ issuer: known[id], number }));
  const body = { certificates: Object.keys(numbers).map((id) => known[id]), lists };
  return world.call("POST", "/v1/acknowledgements", { key, body });
}

/** Lets time pass, for everybody. */
const pass = (milliseconds: number): void => {
  world.side.time.now = new Date(world.side.time.now.getTime() + milliseconds);
  world.side.time.signer = new Date(world.side.time.signer.getTime() + milliseconds);
};

describe("relying parties", () => {
  it("are registered, looked at, changed and retired, and each of these is on record", async () => {
    const made = await party("proxy-1", ["file", "authorize", "file"], { sessionSeconds: 300 });
    expect(made).toMatchObject({
      status: 201,
      body: {
        name: "proxy-1",
        uses: ["authorize", "file"],
        sessionSeconds: 300,
        defaultStage: "enforce",
      },
    });
    const where = `/v1/relying-parties/${made.body.id}`;
    expect((await world.call("GET", where)).body).toEqual(made.body);
    const changed = await world.call("PATCH", where, {
      body: { uses: ["ocsp"], defaultStage: "observe" },
    });
    expect(changed.body).toMatchObject({
      uses: ["ocsp"],
      defaultStage: "observe",
      sessionSeconds: 300,
    });
    expect((await world.call("PATCH", where, { body: { uses: ["ocsp"] } })).body).toEqual(
      changed.body,
    );
    expect(await world.call("DELETE", where)).toMatchObject({ status: 204 });
    expect(await world.call("DELETE", where)).toMatchObject({ status: 204 });
    expect((await world.call("GET", where)).body).toHaveProperty("retiredAt");
    const rows = await world.side.admin.query(
      "select action, detail from app.audit where subject = $1 order by action",
      [`relying-party/${made.body.id}`],
    );
    expect(rows).toMatchObject([
      { action: "relying-party.created" },
      { action: "relying-party.retired" },
      { action: "relying-party.updated", detail: { changed: ["uses", "defaultStage"] } },
    ]);
  });

  it("are made once for each Idempotency-Key", async () => {
    const call = {
      body: { name: "proxy-once", product: "musubi", uses: ["file"] },
      idempotencyKey: "k-1",
    };
    const first = await world.call("POST", "/v1/relying-parties", call);
    const second = await world.call("POST", "/v1/relying-parties", call);
    expect(second).toMatchObject({ status: 201, body: first.body });
  });

  it("pin a certificate by its hash, and give no two the same", async () => {
    const [row] = await world.side.admin.query<{ certificate: Buffer }>(
      "select certificate from ca.issuer limit 1",
    );
    const pem = new X509Certificate(row?.certificate ?? "").toString();
    const sha256 = createHash("sha256")
      .update(row?.certificate ?? "")
      .digest("hex");
    const made = await party("proxy-pinned", ["authorize"], { clientCertificate: pem });
    expect(made.body).toMatchObject({ clientCertificateSha256: sha256 });
    expect(await party("proxy-other", ["authorize"], { clientCertificate: pem })).toMatchObject({
      status: 409,
      body: { errors: [{ field: "clientCertificate" }] },
    });
  });

  it.for<[string, object, number, string]>([
    ["a name that is taken", { name: "proxy-once" }, 409, "name"],
    ["no use", { uses: [] }, 400, "uses"],
    ["a use that is none", { uses: ["delta"] }, 400, "uses[0]"],
    ["a product in capitals", { product: "Musubi" }, 400, "product"],
    ["sessions of a month", { sessionSeconds: 2_592_000 }, 400, "sessionSeconds"],
    ["a certificate that is none", { clientCertificate: "-----BEGIN" }, 422, "clientCertificate"],
    ["a member that nobody knows", { color: "blue" }, 400, "color"],
  ])("are refused with %s, and the field is named", async ([, change, status, field]) => {
    const before = await world.counts();
    const body = { name: "proxy-bad", product: "musubi", uses: ["file"], ...change };
    expect(await world.call("POST", "/v1/relying-parties", { body })).toMatchObject({
      status,
      body: { errors: [{ field }] },
    });
    expect(await world.counts()).toEqual(before);
  });

  it("are nobody's of one corporation", async () => {
    for (const method of ["GET", "POST"] as const) {
      const body = { name: "proxy-theirs", product: "musubi", uses: ["file"] };
      const call = { key: tenant.key, ...(method === "POST" && { body }) };
      expect(await world.call(method, "/v1/relying-parties", call)).toMatchObject({ status: 403 });
    }
  });
});

describe("acknowledgements", () => {
  it("are taken from a key that speaks for a party, and from no other", async () => {
    const { key } = await registered("proxy-ack", ["file"]);
    const numbers = {
      "root-g1": await currentNumber("root-g1"),
      "issuing-g1": await currentNumber("issuing-g1"),
    };
    expect(await acknowledge(key, numbers)).toMatchObject({ status: 200 });
    expect(await acknowledge(world.keys.proxy, numbers)).toMatchObject({ status: 403 });
    expect(await acknowledge(world.keys.admin, numbers)).toMatchObject({ status: 403 });
  });

  it("name nothing that Suido never gave out, and then nothing of them is taken down", async () => {
    const { id, key } = await registered("proxy-liar", ["file"]);
    const known = await fingerprints();
    const stranger = "0".repeat(64);
    for (const [body, field] of [
      [{ certificates: [stranger], lists: [] }, "certificates[0]"],
      [{ certificates: [], lists: [{ issuer: stranger, number: "1" }] }, "lists[0].issuer"],
      [
        { certificates: [known["root-g1"]], lists: [{ issuer: known["issuing-g1"], number: "1" }] },
        "lists[0].number",
      ],
    ] as const) {
      expect(await world.call("POST", "/v1/acknowledgements", { key, body })).toMatchObject({
        status: 422,
        body: { errors: [{ field }] },
      });
    }
    const rows = await world.side.admin.query(
      "select 1 from party.acknowledged_issuer where relying_party_id = $1",
      [id],
    );
    expect(rows).toEqual([]);
  });

  it("say all that is in force: what is not named any more is not", async () => {
    const { id, key } = await registered("proxy-whole", ["file"]);
    const numbers = {
      "root-g1": await currentNumber("root-g1"),
      "issuing-g1": await currentNumber("issuing-g1"),
    };
    const lacking = async (): Promise<unknown[]> =>
      (
        await world.side.admin.query<{ id: string }>(
          "select id from party.lacking_issuer('issuing-g1')",
        )
      ).filter((row) => row.id === id);
    expect(await lacking()).toHaveLength(1);
    await acknowledge(key, numbers);
    expect(await lacking()).toEqual([]);
    await acknowledge(key, { "root-g1": numbers["root-g1"] });
    expect(await lacking()).toHaveLength(1);
  });

  it("of a retired party's key are refused", async () => {
    const { id, key } = await registered("proxy-gone", ["file"]);
    await world.call("DELETE", `/v1/relying-parties/${id}`);
    expect(await acknowledge(key, {})).toMatchObject({ status: 401 });
  });
});

describe("propagation", () => {
  interface Standing {
    readonly name: string;
    readonly enforced: boolean;
    readonly lagging: boolean;
    readonly since?: string;
    readonly expectedBy?: string;
  }
  async function propagation(serialNumber: string) {
    const { body, status } = await world.call(
      "GET",
      `/v1/certificates/${serialNumber}/propagation`,
    );
    const said = body as unknown as {
      readonly everywhere: boolean;
      readonly since?: string;
      readonly revokedAt: string;
      readonly parties: readonly Standing[];
    };
    return {
      ...said,
      http: status,
      of: (name: string) => said.parties.find((one) => one.name === name),
    };
  }

  it("says who enforces a revocation since when, by what each party knows it by, and who lags", async () => {
    await world.side.admin.query(
      "update party.relying_party set retired_at = now() where retired_at is null",
    );
    await registered("by-authorize", ["authorize"]);
    await registered("by-ocsp", ["ocsp"], { sessionSeconds: 60 });
    const file = await registered("by-file", ["file"], { sessionSeconds: 120 });
    const both = await registered("by-both", ["file", "authorize"]);
    const serial = await issued();
    const before = {
      "root-g1": await currentNumber("root-g1"),
      "issuing-g1": await currentNumber("issuing-g1"),
    };
    await acknowledge(file.key, before);
    await acknowledge(both.key, before);

    expect(await propagation(serial)).toMatchObject({ http: 409 });
    await revoke(serial);
    const at = world.side.time.now.getTime();
    const first = await propagation(serial);
    expect(first).toMatchObject({ http: 200, everywhere: false });
    expect(first.parties.map(({ enforced }) => enforced)).toEqual([false, false, false, false]);

    pass(2_000);
    const soon = await propagation(serial);
    expect(soon.of("by-authorize")).toMatchObject({ enforced: true, lagging: false });
    // The first way of knowing that refuses is enough.
    expect(soon.of("by-both")).toMatchObject({ enforced: true, lagging: false });
    expect(soon.of("by-ocsp")).toMatchObject({ enforced: false, lagging: false });
    expect(soon.of("by-file")).toMatchObject({ enforced: false, lagging: false });

    pass(8 * MINUTE_MS);
    const late = await propagation(serial);
    expect(late.of("by-file")).toMatchObject({ enforced: false, lagging: true });
    expect(late.of("by-ocsp")).toMatchObject({ enforced: false, lagging: false });

    const number = String((await world.side.publish()).number);
    pass(1_000);
    await acknowledge(file.key, { ...before, "issuing-g1": number });
    const acknowledgedAt = world.side.time.now.getTime();
    expect((await propagation(serial)).of("by-file")).toMatchObject({ enforced: false });
    pass(3 * MINUTE_MS);
    const done = await propagation(serial);
    expect(done).toMatchObject({ everywhere: true });
    const since = (name: string): number => new Date(done.of(name)?.since ?? 0).getTime();
    expect(since("by-authorize") - at).toBe(1_000);
    expect(since("by-ocsp") - at).toBe(11 * MINUTE_MS);
    expect(since("by-file") - acknowledgedAt).toBe(2 * MINUTE_MS);
    expect(new Date(done.since ?? 0).getTime()).toBe(Math.max(since("by-ocsp"), since("by-file")));

    // Whoever goes back to an older list lets the certificate in again.
    await acknowledge(file.key, before);
    expect((await propagation(serial)).of("by-file")).toMatchObject({
      enforced: false,
      lagging: true,
    });
  });

  it("says of a party that asks at each request what its product's stage there makes of it", async () => {
    await world.side.admin.query(
      "update party.relying_party set retired_at = now() where retired_at is null",
    );
    await registered("asks", ["authorize"]);
    const serial = await issued();
    await revoke(serial);
    pass(2_000);
    expect((await propagation(serial)).of("asks")).toMatchObject({ enforced: true });
    const setStage = (body: object): Promise<unknown> =>
      world.call("PUT", "/v1/stages", { body: { product: "musubi", ...body } });
    await setStage({ corporationId: tenant.corporationId, stage: "warn" });
    pass(3 * 60 * MINUTE_MS);
    const warned = await propagation(serial);
    expect(warned).toMatchObject({ everywhere: false });
    expect(warned.of("asks")).toMatchObject({
      enforced: false,
      lagging: false,
      because: "its stage there is warn, which refuses nobody",
    });
    expect(warned.of("asks")).not.toHaveProperty("expectedBy");
    // The pharmacy's own word counts more, and from then on.
    await world.side.admin.query(
      `insert into app.stage (id, product, corporation_id, pharmacy_id, stage, effective_from, state, proposed_by, created_at)
       values (gen_random_uuid(), 'musubi', $1, $2, 'enforce', $3, 'in-force', 'test', $3)`,
      [tenant.corporationId, tenant.pharmacyId, world.side.time.now],
    );
    const at = world.side.time.now.getTime();
    pass(2_000);
    const done = await propagation(serial);
    expect(done).toMatchObject({ everywhere: true });
    expect(new Date(done.since ?? 0).getTime() - at).toBe(1_000);
  });

  it("is another corporation's as little as the certificate is", async () => {
    const serial = await issued();
    await revoke(serial);
    const other = await world.tenant("乙薬局");
    const call = { key: other.key };
    expect(await world.call("GET", `/v1/certificates/${serial}/propagation`, call)).toMatchObject({
      status: 404,
    });
  });
});
