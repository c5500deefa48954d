import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";

import { serialBytes } from "../../../src/pki/serial.ts";
import { insertParty } from "../../support/relying-parties.ts";
import { NOW } from "../ca/app-side.ts";
import { askAs, type Certificate, issue, type Reply, shown, soon } from "./proxy-questions.ts";
import { type Call, openHttpWorld, type Tenant } from "./world.ts";

const world = await openHttpWorld();
const { admin, time } = world.side;
const party = await insertParty(admin);
const folder = mkdtempSync(path.join(tmpdir(), "suido-authorize-"));

afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

const ask = (headers: Call["headers"] = {}, key = party.key): Promise<Reply> =>
  askAs(world, key, headers);

let tenant: Tenant;
let certificate: Certificate;

beforeEach(async () => {
  time.now = time.signer = NOW;
  tenant = await world.tenant("みずき薬局");
  certificate = await issue(world, tenant);
});

const escaped = (text: string): string => encodeURIComponent(text);

it("tells a proxy who stands behind a certificate, by ids alone, at once after its issue", async () => {
  const { status, headers, body } = await ask(shown(certificate.der));
  const { deviceId, accountId, pharmacyId, corporationId } = tenant;
  expect(status).toBe(200);
  expect(body).toEqual({
    decision: "allow",
    stage: "enforce",
    deviceId,
    accountId,
    pharmacyId,
    corporationId,
    serialNumber: certificate.serialNumber,
    notAfter: "2027-12-21T14:59:59.000Z",
    daysLeft: 395,
  });
  expect(headers).toMatchObject({
    "cache-control": "no-store",
    "suido-device": deviceId,
    "suido-account": accountId,
    "suido-pharmacy": pharmacyId,
    "suido-corporation": corporationId,
    "suido-serial": certificate.serialNumber,
    "suido-days-left": "395",
    "suido-stage": "enforce",
  });
});

describe("takes the certificate as it is spelt by", () => {
  it.for([
    ["nginx", "x-ssl-client-cert", (c: Certificate) => escaped(c.pem)],
    ["Apache httpd", "x-ssl-client-cert", (c: Certificate) => c.pem.replaceAll("\n", " ")],
    ["HAProxy and Caddy", "x-ssl-client-der", (c: Certificate) => c.der.toString("base64")],
    ["Traefik", "x-forwarded-tls-client-cert", (c: Certificate) => c.der.toString("base64")],
    [
      "Envoy",
      "x-forwarded-client-cert",
      (c: Certificate) => `Hash=00;Cert="${escaped(c.pem)}";Subject="CN=\\"x\\"";URI=`,
    ],
    ["RFC 9440", "client-cert", (c: Certificate) => `:${c.der.toString("base64")}:`],
  ] as const)("%s", async ([, field, spell]) => {
    const { status, body } = await ask({ [field]: spell(certificate) });
    expect({ status, deviceId: body.deviceId }).toEqual({
      status: 200,
      deviceId: tenant.deviceId,
    });
  });
});

describe("believes no field", () => {
  it("that comes beside another", async () => {
    const both = { ...shown(certificate.der), "x-ssl-client-cert": escaped(certificate.pem) };
    const { status, body } = await ask(both);
    expect(status).toBe(400);
    expect(body.errors?.map(({ field }) => field)).toEqual([
      "X-SSL-Client-DER",
      "X-SSL-Client-Cert",
    ]);
  });

  it("that comes twice", async () => {
    const twice = [certificate.der.toString("base64"), certificate.der.toString("base64")];
    const response = await world.app.inject({
      url: "/v1/authorize",
      headers: { authorization: `Bearer ${party.key}`, "x-ssl-client-der": twice },
    });
    expect(response.statusCode).toBe(400);
  });

  it("that cannot be read", async () => {
    const { status, body } = await ask({ "x-ssl-client-cert": "%zz" });
    expect({ status, errors: body.errors?.map(({ field }) => field) }).toEqual({
      status: 400,
      errors: ["X-SSL-Client-Cert"],
    });
  });

  it.for([
    { name: "nobody", key: () => "", status: 401, type: "unauthorized" },
    {
      name: "a stranger with something like a key",
      key: () => `suido_prx_${"a".repeat(43)}`,
      status: 401,
      type: "unauthorized",
    },
    { name: "an administrator", key: () => world.keys.admin, status: 403, type: "forbidden" },
    { name: "a product", key: () => world.keys.product, status: 403, type: "forbidden" },
    {
      name: "a proxy without a party",
      key: () => world.keys.proxy,
      status: 403,
      type: "forbidden",
    },
  ])("from $name", async ({ key, status, type }) => {
    // Doubled besides: nothing of it is looked at.
    const headers = { ...shown(certificate.der), "client-cert": ":MAA=:" };
    const answer = await ask(headers, key());
    expect({ status: answer.status, type: answer.body.type }).toEqual({
      status,
      type: `/problems/${type}`,
    });
    expect(answer.headers["suido-device"]).toBeUndefined();
  });

  it("from a party that is not registered as one that asks at each request", async () => {
    const { key } = await insertParty(admin, { uses: ["file", "ocsp"] });
    expect((await ask(shown(certificate.der), key)).status).toBe(403);
  });

  it("from a key that was revoked, within a second; and none from one of a party that was retired", async () => {
    const [revoked, retired] = [await insertParty(admin), await insertParty(admin)];
    for (const { key } of [revoked, retired])
      expect((await ask(shown(certificate.der), key)).status).toBe(200);
    await admin.query("update app.api_key set revoked_at = now() where id = $1", [revoked.keyId]);
    await admin.query("update party.relying_party set retired_at = now() where id = $1", [
      retired.id,
    ]);
    await soon(async () => {
      expect((await ask({}, revoked.key)).body.type).toBe("/problems/unauthorized");
      expect((await ask({}, retired.key)).body.type).toBe("/problems/unauthorized");
    });
  });
});

/** A certificate of another CA, which may call itself as ours does. */
function foreign(subject: string): Buffer {
  const [key, out] = [path.join(folder, "key"), path.join(folder, "der")];
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key];
  const args = ["req", "-x509", ...ec, "-subj", subject, "-outform", "DER", "-out", out];
  execFileSync("openssl", args, { stdio: "ignore" });
  return readFileSync(out);
}

async function revoke(serialNumber: string, reason: string): Promise<void> {
  const body = { reason };
  const answer = await world.call("POST", `/v1/certificates/${serialNumber}/revoke`, { body });
  expect(answer.status).toBe(200);
}

const personal = (): Promise<object[]> =>
  admin.query("update app.device set use = 'personal' where id = $1", [tenant.deviceId]);

describe("under enforce, refuses within a second", () => {
  const refusals = [
    { reason: "no-certificate", type: "no-client-certificate", status: 401, help: "none" },
    { reason: "malformed", type: "malformed-certificate", status: 401, help: "other" },
    { reason: "foreign-issuer", type: "foreign-issuer", status: 401, help: "other" },
    { reason: "unknown", type: "certificate-unknown", status: 401, help: "other" },
    { reason: "not-yet-valid", type: "certificate-not-yet-valid", status: 401, help: "other" },
    { reason: "expired", type: "certificate-expired", status: 401, help: "expired" },
    { reason: "revoked", type: "certificate-revoked", status: 403, help: "replaced" },
    { reason: "hold", type: "certificate-on-hold", status: 403, help: "revoked" },
    { reason: "unbound", type: "unbound", status: 403, help: "other" },
    { reason: "device-retired", type: "device-retired", status: 403, help: "other" },
    { reason: "account-disabled", type: "account-disabled", status: 403, help: "other" },
    { reason: "membership-ended", type: "membership-ended", status: 403, help: "other" },
    { reason: "tenant-behind", type: "tenant-behind", status: 403, help: "other" },
  ] as const;
  type Reason = (typeof refusals)[number]["reason"];

  /** Makes it so, and gives what is then shown. */
  const makers: Readonly<Record<Reason, () => Promise<Record<string, string>>>> = {
    "no-certificate": async () => ({ "x-ssl-client-cert": "" }),
    malformed: async () => shown(Buffer.from("nonsense")),
    "foreign-issuer": async () => shown(foreign("/CN=x")),
    unknown: async () => {
      await admin.query("begin");
      await admin.query("set local session_replication_role = replica");
      await admin.query("delete from app.binding where serial = $1", [
        serialBytes(certificate.serialNumber),
      ]);
      await admin.query(
        "update ca.issued set state = 'reserved', der = null, der_sha256 = null, issued_at = null where serial = $1",
        [serialBytes(certificate.serialNumber)],
      );
      await admin.query("commit");
      return shown(certificate.der);
    },
    "not-yet-valid": async () => {
      time.now = new Date(NOW.getTime() - 86_400_000);
      return shown(certificate.der);
    },
    expired: async () => {
      time.now = new Date("2027-12-21T15:00:00Z");
      return shown(certificate.der);
    },
    revoked: async () => {
      await revoke(certificate.serialNumber, "superseded");
      return shown(certificate.der);
    },
    hold: async () => {
      await revoke(certificate.serialNumber, "certificateHold");
      return shown(certificate.der);
    },
    unbound: async () => {
      await admin.query("update app.binding set bound_to = now() where serial = $1", [
        serialBytes(certificate.serialNumber),
      ]);
      return shown(certificate.der);
    },
    "device-retired": async () => {
      await admin.query("update app.device set retired_at = now() where id = $1", [
        tenant.deviceId,
      ]);
      return shown(certificate.der);
    },
    "account-disabled": async () => {
      await personal();
      await world.call("PATCH", `/v1/accounts/${tenant.accountId}`, { body: { disabled: true } });
      return shown(certificate.der);
    },
    "membership-ended": async () => {
      await personal();
      await admin.query("delete from app.membership where account_id = $1", [tenant.accountId]);
      return shown(certificate.der);
    },
    "tenant-behind": async () => {
      const epoch = "update app.corporation set epoch = $2 where id = $1";
      await admin.query(epoch, [tenant.corporationId, 9]);
      await soon(async () => expect((await ask(shown(certificate.der))).status).toBe(200));
      await vi.waitFor(() => expect(world.authorizer.known()).toBeDefined());
      await new Promise((resolve) => setTimeout(resolve, 300));
      await admin.query(epoch, [tenant.corporationId, 8]);
      return shown(certificate.der);
    },
  };

  it.for(refusals)("$reason", async ({ reason, type, status, help }) => {
    const headers = await makers[reason]();
    await soon(async () => {
      const answer = await ask(headers);
      expect(answer.body.type).toBe(`/problems/${type}`);
      expect(answer.status).toBe(status);
      expect(answer.headers["suido-reason"]).toBe(reason);
      expect(answer.headers["suido-help"]).toBe(answer.body.help);
      expect(answer.body.help).toMatch(
        new RegExp(`^http://localhost:8000/help/certificate\\?reason=${help}(&serial=[0-9a-f]+)?$`),
      );
      expect(answer.headers["suido-device"]).toBeUndefined();
      expect(answer.headers["cache-control"]).toBe("no-store");
    });
  });

  it("a forger who calls himself by our CA's name", async () => {
    const [row] = await admin.query<{ certificate: Buffer }>(
      "select certificate from ca.issuer where kind = 'issuing'",
    );
    const pem = path.join(folder, "issuer.der");
    execFileSync("openssl", ["x509", "-inform", "DER", "-out", pem], {
      input: row?.certificate,
    });
    const name = execFileSync(
      "openssl",
      ["x509", "-in", pem, "-noout", "-subject", "-nameopt", "sep_multiline,utf8,-esc_msb"],
      { encoding: "utf8" },
    );
    const subject = name
      .split("\n")
      .slice(1)
      .map((line) => line.trim())
      .filter(Boolean)
      .map((part) => `/${part}`)
      .join("");
    expect((await ask(shown(foreign(subject)))).body.type).toBe("/problems/foreign-issuer");
  });

  it("one of whose octets any was changed", async () => {
    for (const at of [60, 200, certificate.der.length - 1]) {
      const forged = Buffer.from(certificate.der);
      forged[at] = (forged[at] ?? 0) ^ 1;
      expect((await ask(shown(forged))).status).toBe(401);
    }
  });
});
