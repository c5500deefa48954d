import { randomUUID } from "node:crypto";

import { afterAll, beforeEach, describe, expect, it } from "vitest";

import { insertParty, insertStage, type PartyRow } from "../../support/relying-parties.ts";
import { NOW } from "../ca/app-side.ts";
import { askAs, type Certificate, issue, type Reply, shown, soon } from "./proxy-questions.ts";
import { type Call, openHttpWorld, type Tenant } from "./world.ts";

const world = await openHttpWorld();
const { admin, time } = world.side;
const party = await insertParty(admin);

afterAll(() => world.close());

const ask = (headers: Call["headers"] = {}, key = party.key): Promise<Reply> =>
  askAs(world, key, headers);

let tenant: Tenant;
let certificate: Certificate;

beforeEach(async () => {
  time.now = time.signer = NOW;
  tenant = await world.tenant("みずき薬局");
  certificate = await issue(world, tenant);
});

async function revoke(serialNumber: string, reason: string): Promise<void> {
  const body = { reason };
  const answer = await world.call("POST", `/v1/certificates/${serialNumber}/revoke`, { body });
  expect(answer.status).toBe(200);
}

/** The stage that counts for the certificate at this party. */
const stageOf = async ({ key }: PartyRow): Promise<string | undefined> =>
  (await ask(shown(certificate.der), key)).body.stage;

it("lets a shared device work on whose responsible person is disabled", async () => {
  await world.call("PATCH", `/v1/accounts/${tenant.accountId}`, { body: { disabled: true } });
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect((await ask(shown(certificate.der))).status).toBe(200);
});

describe("stages", () => {
  let product: string;
  let observer: PartyRow;
  beforeEach(async () => {
    product = `product-${randomUUID().slice(0, 8)}`;
    observer = await insertParty(admin, { product, defaultStage: "observe" });
  });

  it.for(["off", "observe", "warn"])("%s lets through, and identifies nobody", async (stage) => {
    const { corporationId, pharmacyId } = tenant;
    await insertStage(admin, { product, corporationId, pharmacyId, stage });
    await revoke(certificate.serialNumber, "keyCompromise");
    await soon(async () => {
      const { status, body, headers } = await ask(shown(certificate.der), observer.key);
      expect({ status, stage: body.stage }).toEqual({ status: 200, stage });
      expect(body.wouldRefuse).toEqual({
        reason: "revoked",
        serialNumber: certificate.serialNumber,
        deviceId: tenant.deviceId,
        pharmacyId,
      });
      expect(body.deviceId).toBeUndefined();
      expect(headers).toMatchObject({ "suido-stage": stage, "suido-reason": "revoked" });
      expect(headers["suido-device"]).toBeUndefined();
    });
  });

  it("warn says so in two languages, with the way to a certificate", async () => {
    const warner = await insertParty(admin, { product, defaultStage: "warn" });
    const { body, headers } = await ask({}, warner.key);
    expect(body.banner?.ja).toContain("証明書");
    expect(body.banner?.en).toContain("certificate");
    expect(body.installUrl).toBe("http://localhost:8000/help/certificate?reason=none");
    expect(headers["suido-help"]).toBe(body.installUrl);
    const good = await ask(shown(certificate.der), warner.key);
    expect(good.body).toMatchObject({ stage: "warn", deviceId: tenant.deviceId });
    expect(good.body.banner).toBeUndefined();
  });

  it("warn tells whoever shows one that was superseded to choose the new one, and other revoked ones whom to call", async () => {
    const warner = await insertParty(admin, { product, defaultStage: "warn" });
    const { serialNumber } = certificate;
    const other = await issue(world, tenant);
    await revoke(serialNumber, "superseded");
    await revoke(other.serialNumber, "cessationOfOperation");
    await soon(async () => {
      const old = await ask(shown(certificate.der), warner.key);
      expect(old.body).toMatchObject({
        wouldRefuse: { reason: "revoked", serialNumber },
        banner: { ja: expect.stringContaining("新しいほうを選んで") as unknown },
        installUrl: `http://localhost:8000/help/certificate?reason=replaced&serial=${serialNumber}`,
      });
      expect(old.headers["suido-help"]).toBe(old.body.installUrl);
      const stopped = await ask(shown(other.der), warner.key);
      expect(stopped.body.banner?.ja).toContain("止められています");
      expect(stopped.body.installUrl).toContain("reason=revoked");
    });
  });

  it("a pharmacy's own counts before its corporation's, and that before the party's", async () => {
    const { corporationId, pharmacyId } = tenant;
    expect(await stageOf(observer)).toBe("observe");
    await insertStage(admin, { product, corporationId, stage: "warn" });
    await soon(async () => expect(await stageOf(observer)).toBe("warn"));
    await insertStage(admin, { product, corporationId, pharmacyId, stage: "enforce" });
    await soon(async () => expect(await stageOf(observer)).toBe("enforce"));
  });

  it("counts from its time on", async () => {
    const from = new Date(NOW.getTime() + 3_600_000);
    const { corporationId, pharmacyId } = tenant;
    await insertStage(admin, { product, corporationId, pharmacyId, stage: "enforce", from });
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect((await ask(shown(certificate.der), observer.key)).body.stage).toBe("observe");
    time.now = from;
    expect((await ask(shown(certificate.der), observer.key)).body.stage).toBe("enforce");
  });

  it("of a pharmacy that the product names, where no certificate does; a certificate's own counts more", async () => {
    const other = await world.tenant("あおぞら薬局");
    const { corporationId } = other;
    await insertStage(admin, { product, corporationId, stage: "enforce" });
    const named = { "suido-pharmacy": other.pharmacyId.toUpperCase() };
    await soon(async () => expect((await ask(named, observer.key)).status).toBe(401));
    expect((await ask({ ...named, ...shown(certificate.der) }, observer.key)).status).toBe(200);
    const unknown = { "suido-pharmacy": randomUUID() };
    expect((await ask(unknown, observer.key)).body.stage).toBe("observe");
    const { status, body } = await ask({ "suido-pharmacy": "x" }, observer.key);
    expect({ status, field: body.errors?.[0]?.field }).toEqual({
      status: 400,
      field: "Suido-Pharmacy",
    });
  });
});

it("answers whatever a client's request looks like, as some proxies hand it on", async () => {
  for (const [method, url] of [
    ["GET", "/v1/authorize/some/path?a=b"],
    ["POST", "/v1/authorize/some/path"],
    ["HEAD", "/v1/authorize"],
  ] as const) {
    const { statusCode } = await world.app.inject({
      method,
      url,
      headers: {
        authorization: `Bearer ${party.key}`,
        accept: "image/png",
        ...(method === "POST" && { "content-type": "application/x-www-form-urlencoded" }),
        ...shown(certificate.der),
      },
      ...(method === "POST" && { payload: "a=b" }),
    });
    expect({ url, statusCode }).toEqual({ url, statusCode: 200 });
  }
});

const inject = (options: { url: string; headers?: Record<string, string> }) =>
  world.app.inject({ method: "GET", ...options });

const helpPage = async (reason: string): Promise<string> =>
  (await inject({ url: `/help/certificate?reason=${reason}` })).body;

/** The bare answer, without a look at the document: that has problems only. */
const refused = (
  headers: Record<string, string>,
  url = "/v1/authorize?refusals=page",
): ReturnType<typeof inject> => inject({ url, headers });

describe("gives a proxy that hands its answers on", () => {
  const proxy = { authorization: `Bearer ${party.key}` };

  it("the help page itself, with status and header fields of the problem", async () => {
    await revoke(certificate.serialNumber, "keyCompromise");
    await soon(async () => {
      const { body, headers, statusCode } = await refused({ ...proxy, ...shown(certificate.der) });
      expect(statusCode).toBe(403);
      expect(headers).toMatchObject({
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "content-security-policy": expect.stringContaining("default-src 'none'") as string,
        "suido-reason": "revoked",
      });
      expect(body).toBe(await helpPage(`revoked&serial=${certificate.serialNumber}`));
    });
    const none = await refused(proxy);
    expect(none.statusCode).toBe(401);
    expect(none.body).toBe(await helpPage("none"));
  });

  it("the page other, when it is the proxy that may not ask", async () => {
    const { body, statusCode } = await refused({ authorization: "Bearer suido_prx_x" });
    expect(statusCode).toBe(401);
    expect(body).toBe(await helpPage("other"));
  });

  it("no page for what the client writes behind a question mark of its own", async () => {
    const { headers } = await refused(proxy, "/v1/authorize/a?refusals=page");
    expect(headers["content-type"]).toBe("application/problem+json");
  });

  it("a problem that names the parameter for any other word", async () => {
    const { statusCode, body } = await refused(proxy, "/v1/authorize?refusals=html");
    expect(statusCode).toBe(400);
    expect(JSON.parse(body)).toMatchObject({ errors: [{ field: "refusals" }] });
  });
});
