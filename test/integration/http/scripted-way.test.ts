import { X509Certificate } from "node:crypto";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { ecKey, type Key, rsaKey } from "../../support/certificates.ts";
import { windowsCsr } from "../../support/csr.ts";
import { insertParty } from "../../support/relying-parties.ts";
import { NOW } from "../ca/app-side.ts";
import { type CheckWorld, type Device, openCheckWorld, selfSigned } from "./check-world.ts";
import { askAs, shown } from "./proxy-questions.ts";
import { Visitor } from "./visitor.ts";
import type { Tenant } from "./world.ts";

const RENEWAL = "https://localhost:8443/v1/renewal";
const MAC =
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

let world: CheckWorld;
let tenant: Tenant;
let count = 0;

beforeAll(async () => {
  world = await openCheckWorld();
});
beforeEach(async () => {
  world.side.time.now = world.side.time.signer = new Date(
    Math.max(NOW.getTime(), world.side.time.signer.getTime()),
  );
  tenant = await world.tenant(`薬局${(count += 1)}`);
});
afterAll(() => world.close());

const later = (ms: number): void => {
  world.side.time.now = new Date(world.side.time.now.getTime() + ms);
};

/** A second, so that of two certificates one is the later. */
function pass(): void {
  const { time } = world.side;
  time.signer = new Date(time.signer.getTime() + 1000);
}

async function begun(agent?: string): Promise<{ readonly id: string; readonly visitor: Visitor }> {
  const { accountId, deviceId } = tenant;
  const { body } = await world.call("POST", "/v1/enrolments", { body: { accountId, deviceId } });
  const { id, link } = body as unknown as { readonly id: string; readonly link: string };
  const visitor = new Visitor(world.app, agent);
  await visitor.press({ token: link.split("/").at(-1) });
  return { id, visitor };
}

const confirm = (id: string) =>
  world.call("POST", `/v1/enrolments/${id}/confirm`, {
    key: world.keys.support,
    body: { how: "telephone" },
  });

async function identified(agent?: string): ReturnType<typeof begun> {
  const found = await begun(agent);
  expect((await confirm(found.id)).status).toBe(200);
  return found;
}

const download = (visitor: Visitor) => visitor.go("POST", "/way/script", { form: {} });

async function secretFor(visitor: Visitor): Promise<string> {
  const { body, statusCode } = await download(visitor);
  expect(statusCode).toBe(200);
  return /^\$Secret = '([0-9a-f]{32})'\r$/m.exec(body)?.[1] ?? "";
}

/** As the script does. */
const run = (secret: string, { key = ecKey(), ...rest }: { key?: Key; csr?: string } = {}) =>
  world.app.inject({
    method: "POST",
    url: "/way/script/certificates",
    headers: { accept: "application/json", host: "localhost:8000" },
    payload: { secret, csr: windowsCsr(key), keyClaim: "tpm", ...rest },
  });

interface Made {
  readonly certificate: string;
  readonly chain: readonly string[];
  readonly deviceId: string;
  readonly checkUrl: string;
}

async function made(secret: string): Promise<Device & { readonly checkUrl: string }> {
  const key = ecKey();
  const reply = await run(secret, { key });
  expect(reply.statusCode).toBe(201);
  const { certificate: cert, checkUrl } = reply.json<Made>();
  const { serialNumber } = new X509Certificate(cert);
  const pem = String(key.privateKey.export({ type: "pkcs8", format: "pem" }));
  return { key: pem, cert, checkUrl, serialNumber: serialNumber.toLowerCase() };
}

const status = async (serialNumber: string) =>
  (await world.call("GET", `/v1/certificates/${serialNumber}`)).body as unknown as Record<
    string,
    unknown
  >;

const SPENT = { type: "/problems/script-spent", status: 403 };

describe("the script of an enrolment", () => {
  it("goes from its page to a proven certificate, and the person's page goes on by itself", async () => {
    const { id, visitor } = await identified();
    expect((await visitor.go("GET", "/way")).body).toContain('href="/way/script"');
    const page = await visitor.go("GET", "/way/script");
    expect(page.body).toContain("薬局の方は、前の画面に戻って進めてください");
    const file = await download(visitor);
    expect(file.headers).toMatchObject({
      "cache-control": "no-store",
      "content-disposition": 'attachment; filename="certificate-setup.ps1"',
    });
    expect(file.rawPayload.subarray(0, 3).toString("hex")).toBe("efbbbf");
    expect(file.body).toContain("受付1号機");
    const secret = await secretFor(visitor);

    const device = await made(secret);
    expect(await visitor.state()).toBe("make");
    expect(await world.outcome(device.checkUrl, device)).toMatchObject({ outcome: "proven" });
    expect(await visitor.state()).toBe("proven");
    expect(await status(device.serialNumber)).toMatchObject({
      keyOrigin: "subject",
      keyClaim: "tpm",
      identifiedHow: "telephone",
      deviceId: tenant.deviceId,
    });
    // A product's proxy lets it in.
    const { key } = await insertParty(world.side.admin);
    const der = new X509Certificate(device.cert).raw;
    expect((await askAs(world, key, shown(der))).body).toMatchObject({ decision: "allow" });

    const facts = await world.side.admin.query<{ action: string; detail: object | null }>(
      "select action, detail from app.audit where subject = any($1) and action ~ 'script|issued|proven' order by xid, action",
      [[`enrolment/${id}`, `certificate/${device.serialNumber}`]],
    );
    expect(facts.map(({ action }) => action)).toEqual([
      "enrolment.script-given",
      "enrolment.script-given",
      "certificate.issued",
      "enrolment.issued",
      "certificate.proven",
      "enrolment.proven",
    ]);
    expect(facts[2]?.detail).toMatchObject({ keyOrigin: "subject", keyClaim: "tpm" });
    const steps = await world.side.admin.query(
      "select step, times from app.enrolment_step where enrolment_id = $1",
      [id],
    );
    expect(steps).toEqual([{ step: "script-run", times: 1 }]);
  });

  it("is offered to nobody else than to a Windows machine whose person is identified", async () => {
    const { id, visitor } = await begun();
    for (const method of ["GET", "POST"] as const) {
      const reply = await visitor.go(method, "/way/script", method === "POST" ? { form: {} } : {});
      expect([reply.statusCode, reply.headers.location]).toEqual([303, "/way"]);
    }
    await confirm(id);
    const mac = await identified(MAC);
    expect((await mac.visitor.go("GET", "/way")).body).not.toContain("/way/script");
    expect((await download(mac.visitor)).statusCode).toBe(303);
    expect((await download(new Visitor(world.app))).statusCode).toBe(303);
    const rows = await world.side.admin.query(
      "select from app.enrolment_link where kind = 'script' and corporation_id = $1",
      [tenant.corporationId],
    );
    expect(rows).toEqual([]);
  });

  it("is for one certificate: of two runs at once one gets it", async () => {
    const { visitor } = await identified();
    const secret = await secretFor(visitor);
    const replies = await Promise.all([run(secret), run(secret), run(secret)]);
    expect(replies.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([
      201, 403, 403,
    ]);
    const again = await run(secret);
    expect([again.headers["content-type"], again.json()]).toEqual([
      "application/problem+json",
      expect.objectContaining(SPENT),
    ]);
    expect(
      await world.side.admin.query("select from app.enrolment_link where kind = 'script'"),
    ).toEqual([]);
  });

  it("is spent when there is a newer one, when an hour is over, and when another browser begins", async () => {
    const { visitor } = await identified();
    const first = await secretFor(visitor);
    const second = await secretFor(visitor);
    expect((await run(first)).json()).toMatchObject(SPENT);
    later(3_600_001);
    expect((await run(second)).json()).toMatchObject(SPENT);
    const third = await secretFor(visitor);
    const { accountId, deviceId } = tenant;
    const { body } = await world.call("POST", "/v1/enrolments", { body: { accountId, deviceId } });
    const { code, id } = body as unknown as { readonly code: string; readonly id: string };
    expect((await run(third)).json()).toMatchObject({ type: "/problems/not-identified" });

    const other = new Visitor(world.app);
    await other.press({ code });
    await confirm(id);
    const fourth = await secretFor(other);
    await new Visitor(world.app).press({ code });
    await confirm(id);
    expect((await run(fourth)).json()).toMatchObject(SPENT);
  });

  it("is not given back to a browser that has begun while it was in use", async () => {
    const { accountId, deviceId } = tenant;
    const { body } = await world.call("POST", "/v1/enrolments", { body: { accountId, deviceId } });
    const { code, id } = body as unknown as { readonly code: string; readonly id: string };
    const visitor = new Visitor(world.app);
    await visitor.press({ code });
    await confirm(id);
    const secret = await secretFor(visitor);
    const { giveBack } = await world.scriptSecrets.take(secret);
    await new Visitor(world.app).press({ code });
    await giveBack();
    expect((await run(secret)).json()).toMatchObject(SPENT);
  });

  it("is given back where its request is none, and says what is wrong with it", async () => {
    const { visitor } = await identified();
    const secret = await secretFor(visitor);
    const cases = [
      [{ csr: "x" }, "malformed-csr"],
      [{ csr: "-----BEGIN NEW CERTIFICATE REQUEST-----\r\n" }, "malformed-csr"],
      [{ csr: "\u0000".repeat(9_000) }, "malformed-csr"],
      [{ key: rsaKey(1024) }, "weak-key"],
      [{ key: ecKey("P-521") }, "unsupported-key"],
      [{ csr: windowsCsr(ecKey()).replace("A", "B") }, "malformed-csr"],
    ] as const;
    for (const [wrong, code] of cases) {
      const reply = await run(secret, wrong);
      expect([400, 422]).toContain(reply.statusCode);
      expect(reply.json()).toMatchObject({ type: `/problems/${code}` });
    }
    expect((await run(secret)).statusCode).toBe(201);
  });

  it("takes nothing else for a secret, and nothing from another site's page", async () => {
    const { visitor } = await identified();
    const secret = await secretFor(visitor);
    for (const text of [
      "",
      "x",
      secret.slice(1),
      `${secret}0`,
      "0".repeat(32),
      "\u0000",
      "ａ".repeat(32),
    ])
      expect((await run(text)).json()).toMatchObject(SPENT);
    expect((await run("f".repeat(201))).statusCode).toBe(400);
    const session = visitor.cookie.split("=")[1] ?? "";
    expect((await run(session)).json()).toMatchObject(SPENT);
    // Nor does it open what links and renewals open.
    expect((await visitor.go("GET", `/renewals/${secret}`)).statusCode).toBe(404);
    expect((await visitor.press({ token: secret })).statusCode).toBe(404);
    const headers = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };
    expect((await visitor.go("POST", "/way/script", { form: {}, headers })).statusCode).toBe(403);
    expect((await run(secret)).statusCode).toBe(201);
  });
});

interface Told {
  readonly status: number;
  readonly secret?: string;
}

/** As the task of a machine does. */
async function ask(client?: Parameters<CheckWorld["outcome"]>[1], headers = {}): Promise<Told> {
  const reply = await world.visit(RENEWAL, {
    method: "POST",
    body: {},
    headers,
    ...(client !== undefined && { client }),
  });
  return { status: reply.status, ...(JSON.parse(reply.text) as object) };
}

describe("the script's own renewal", () => {
  let device: Device;
  beforeEach(async () => {
    const { visitor } = await identified();
    const { checkUrl, ...rest } = await made(await secretFor(visitor));
    device = rest;
    const { outcome } = await world.outcome(checkUrl, device);
    if (outcome !== "proven") throw new Error(`the first certificate is ${String(outcome)}`);
  });
  it("waits for its day, asks for a key only then, and knows the proven successor", async () => {
    const { renewFrom } = await status(device.serialNumber);
    const before = await world.counts();
    expect(await ask(device)).toEqual({ status: 200, isDue: false, renewFrom });
    expect(await world.counts()).toEqual(before);
    world.side.time.now = world.side.time.signer = new Date(Date.parse(String(renewFrom)) - 1);
    expect(await ask(device)).toMatchObject({ isDue: false });
    later(1);
    world.side.time.signer = world.side.time.now;
    const due = await ask(device);
    expect(due).toMatchObject({ status: 200, isDue: true });
    // Its answer was lost: it asks again, and only the newest is good.
    const again = await ask(device);
    expect((await run(String(due.secret))).json()).toMatchObject({
      type: "/problems/not-identified",
    });
    const next = await made(String(again.secret));
    expect(await status(next.serialNumber)).toMatchObject({
      replaces: device.serialNumber,
      identifiedHow: "certificate",
      keyClaim: "tpm",
    });
    // Before the proof it is due still, and the old one good.
    expect(await ask(device)).toMatchObject({ isDue: true });
    expect(await world.outcome(next.checkUrl, next)).toMatchObject({ outcome: "proven" });
    expect(await status(device.serialNumber)).toMatchObject({ status: "good" });
    expect(await ask(device)).toMatchObject({ isDue: false, replacedBy: next.serialNumber });
    expect(await ask(next)).toMatchObject({ isDue: false });
    expect((await run(String(again.secret))).json()).toMatchObject(SPENT);
  });

  it("ends where a new machine has taken the place of the whole device", async () => {
    const { accountId, deviceId } = tenant;
    // The new machine follows the newest, which is another place's.
    pass();
    await world.issue(tenant);
    const { body } = await world.call("POST", "/v1/enrolments", {
      body: { accountId, deviceId, place: "instead" },
    });
    const { code, id } = body as unknown as { readonly code: string; readonly id: string };
    const visitor = new Visitor(world.app);
    await visitor.press({ code });
    await confirm(id);
    pass();
    const instead = await made(await secretFor(visitor));
    await world.call("POST", `/v1/certificates/${device.serialNumber}/renew-now`, {
      body: { reason: "incident" },
    });
    expect(await world.outcome(instead.checkUrl, instead)).toMatchObject({ outcome: "proven" });
    expect(await ask(device)).toMatchObject({ isDue: false, replacedBy: instead.serialNumber });
  });

  it("begins at once where somebody wants it at once", async () => {
    const { serialNumber } = device;
    await world.call("POST", `/v1/certificates/${serialNumber}/renew-now`, {
      body: { reason: "incident" },
    });
    const { secret } = await ask(device);
    expect((await run(String(secret))).statusCode).toBe(201);
  });

  it("is refused to whoever shows none, a stranger's, or one that is stopped, and to other sites", async () => {
    const { serialNumber } = device;
    const before = await world.counts();
    expect(await ask()).toMatchObject({ status: 401, type: "/problems/no-client-certificate" });
    expect(await ask(selfSigned())).toMatchObject({ status: 401 });
    expect(await ask(device, { origin: "https://evil.example" })).toMatchObject({ status: 403 });
    const der = device.cert.replaceAll(/-----[A-Z ]+-----|\s/g, "");
    expect(await ask(undefined, { "client-cert": `:${der}:` })).toMatchObject({ status: 401 });
    const text = await world.visit(RENEWAL, { method: "POST", body: { csr: "x" }, client: device });
    expect(text.status).toBe(400);
    expect(await world.counts()).toEqual(before);
    for (const [reason, type] of [
      ["certificateHold", "certificate-on-hold"],
      ["keyCompromise", "certificate-revoked"],
    ] as const) {
      await world.call("POST", `/v1/certificates/${serialNumber}/revoke`, { body: { reason } });
      expect(await ask(device)).toMatchObject({ status: 403, type: `/problems/${type}` });
    }
  });
});
