import { X509Certificate } from "node:crypto";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { newKey, NOW } from "../ca/app-side.ts";
import { type CheckWorld, openCheckWorld } from "./check-world.ts";
import { Visitor as AnyVisitor } from "./visitor.ts";
import type { Tenant } from "./world.ts";

interface Made {
  readonly id: string;
  readonly link: string;
  readonly code: string;
  readonly supportNumber: string;
}

let world: CheckWorld;
let tenant: Tenant;
let count = 0;

/** A browser at this world's app. */
class Visitor extends AnyVisitor {
  constructor() {
    super(world.app);
  }
}

beforeAll(async () => {
  world = await openCheckWorld();
});
beforeEach(async () => {
  world.side.time.now = NOW;
  tenant = await world.tenant(`薬局${(count += 1)}`);
});
afterAll(() => world.close());

async function make(): Promise<Made> {
  const { accountId, deviceId } = tenant;
  const answer = await world.call("POST", "/v1/enrolments", { body: { accountId, deviceId } });
  expect(answer.status).toBe(201);
  return answer.body as unknown as Made;
}
const tokenOf = ({ link }: Made): string => link.split("/").at(-1) ?? "";
const confirm = (id: string, body: object = {}) =>
  world.call("POST", `/v1/enrolments/${id}/confirm`, {
    key: world.keys.support,
    body: { how: "telephone", ...body },
  });
const look = async (id: string) =>
  (await world.call("GET", `/v1/enrolments/${id}`)).body as unknown as Record<string, unknown>;

async function identified(): Promise<{ readonly made: Made; readonly visitor: Visitor }> {
  const made = await make();
  const visitor = new Visitor();
  await visitor.press({ token: tokenOf(made) });
  expect((await confirm(made.id)).status).toBe(200);
  return { made, visitor };
}

describe("the whole way", () => {
  it("leads each of many browsers that begin in one moment to its page, and one goes on", async () => {
    const token = tokenOf(await make());
    const visitors = Array.from({ length: 8 }, () => new Visitor());
    const pressed = await Promise.all(visitors.map((visitor) => visitor.press({ token })));
    expect(new Set(pressed.map(({ headers }) => headers.location))).toEqual(new Set(["/way"]));
    const states = await Promise.all(visitors.map((visitor) => visitor.state()));
    expect(states.toSorted()).toEqual([
      ...Array.from({ length: 7 }, () => "elsewhere"),
      "identify",
    ]);
  });

  it("goes from the link to the proof, and each page leads to the next", async () => {
    const made = await make();
    const visitor = new Visitor();
    const invitation = await visitor.go("GET", `/start/${tokenOf(made)}`);
    expect(invitation.statusCode).toBe(200);
    expect(invitation.body).toContain("はじめる");
    expect(invitation.body).toContain("受付1号機");
    expect(invitation.headers["cache-control"]).toBe("no-store");
    expect(invitation.headers["content-security-policy"]).toContain("script-src 'self'");

    const pressed = await visitor.press({ token: tokenOf(made) });
    expect([pressed.statusCode, pressed.headers.location]).toEqual([303, "/way"]);
    expect(pressed.headers["set-cookie"]).toMatch(/HttpOnly; SameSite=Lax/);
    expect(await visitor.page()).toBe("メールの番号を入力してください");
    expect(await visitor.state()).toBe("identify");

    expect((await visitor.csr()).statusCode).toBe(403);
    await confirm(made.id, { supportNumber: made.supportNumber });
    expect(await visitor.state()).toBe("make");

    const key = newKey();
    const answer = await visitor.csr(key);
    expect(answer.statusCode).toBe(200);
    const { certificate, chain } = answer.json<{ certificate: string; chain: string[] }>();
    expect(chain).toHaveLength(2);
    expect(await look(made.id)).toMatchObject({ state: "issued" });

    const check = await visitor.go("POST", "/way/checks", { form: {} });
    expect(check.statusCode).toBe(303);
    const url = String(check.headers.location);
    // Shown nothing at first: noted once, that people fail there is to be known.
    for (let turn = 0; turn < 3; turn += 1)
      expect(await world.outcome(url)).toMatchObject({ outcome: "none" });
    const steps = await world.side.admin.query(
      "select step, times from app.enrolment_step where enrolment_id = $1 order by step",
      [made.id],
    );
    expect(steps).toEqual([
      { step: "check-asked", times: 1 },
      { step: "check-none", times: 1 },
    ]);
    expect(await world.outcome(url, { key, cert: certificate })).toMatchObject({
      outcome: "proven",
    });
    expect(await visitor.state()).toBe("proven");
    expect(await look(made.id)).toMatchObject({ state: "proven", endedAt: NOW.toISOString() });
    const { serialNumber } = new X509Certificate(certificate);
    const record = await world.call("GET", `/v1/certificates/${serialNumber.toLowerCase()}`);
    expect(record.body).toMatchObject({ identifiedHow: "telephone" });
    const facts = await world.side.admin.query<{ action: string }>(
      "select action from app.audit where subject = $1 order by xid, action",
      [`enrolment/${made.id}`],
    );
    expect(facts.map(({ action }) => action)).toEqual([
      "enrolment.created",
      "enrolment.handed-over",
      "enrolment.started",
      "enrolment.code-asked",
      "enrolment.identified",
      "enrolment.issued",
      "enrolment.proven",
    ]);
    // The link is spent, and says so to everybody.
    const late = await new Visitor().go("GET", `/start/${tokenOf(made)}`);
    expect(late.body).toContain("このご案内は終わっています");
    expect((await new Visitor().press({ code: made.code })).body).toContain("終わっています");
  });

  it("speaks the language that was chosen once, in whatever the browser prefers", async () => {
    const made = await make();
    const visitor = new Visitor();
    const spoken = async (...asked: Parameters<Visitor["go"]>) => {
      const { body } = await visitor.go(...asked);
      return [/<html lang="(..)"/, /<h1[^>]*>([^<]+)</].map((each) => each.exec(body)?.[1]);
    };
    const link = `/start/${tokenOf(made)}`;
    expect(await spoken("GET", link)).toEqual(["ja", "この端末に証明書を入れます"]);
    // A scanner that follows the link to the other language is another browser.
    await new Visitor().go("GET", `${link}?lang=en`);
    expect(await spoken("GET", link)).toEqual(["ja", "この端末に証明書を入れます"]);
    const before = await world.counts();
    expect(await spoken("GET", `${link}?lang=en`)).toEqual([
      "en",
      "Put a certificate onto this device",
    ]);
    expect(await world.counts()).toEqual(before);
    expect(await spoken("POST", "/start", { form: { code: "AAAA-AAAA" } })).toEqual([
      "en",
      "Type your code",
    ]);
    await visitor.press({ token: tokenOf(made) });
    expect(await visitor.page()).toBe("Type the number from your mail");
    await confirm(made.id);
    expect(await visitor.page()).toBe("Save the file");
    const form = { bundle: "modern" };
    expect(await spoken("POST", "/way/certificates", { form })).toEqual([
      "en",
      "Save the file now",
    ]);
    const { location } = (await visitor.go("POST", "/way/checks", { form: {} })).headers;
    const html = { accept: "text/html", "accept-language": "ja" };
    const check = await world.visit(String(location), { headers: html });
    expect(check.text).toContain('<html lang="en">');
    expect(await spoken("GET", "/way?lang=ja")).toEqual(["ja", "ファイルを保存します"]);
    expect(await visitor.page()).toBe("ファイルを保存します");
    const file = (await visitor.go("GET", "/way?with=file")).body;
    expect(file).toContain('href="/way?with=file&amp;lang=en"');
  });

  it("is used when a product has let it in", async () => {
    const { made, visitor } = await identified();
    const { certificate } = (await visitor.csr()).json<{ certificate: string }>();
    expect(certificate).toContain("BEGIN CERTIFICATE");
    const [row] = await world.side.admin.query<{ serial: Buffer }>(
      "select serial from app.binding where enrolment_id = $1",
      [made.id],
    );
    await world.side.admin.query(
      "update app.enrolment set state = 'proven', ended_at = now() where id = $1",
      [made.id],
    );
    expect(await visitor.state()).toBe("proven");
    const { body } = await world.call("POST", "/v1/relying-parties", {
      body: { name: "edge", product: "musubi", uses: ["authorize"] },
    });
    await world.side.admin.query(
      "insert into party.use (serial, relying_party_id, first_at, last_at) values ($1, $2, now(), now())",
      [row?.serial, (body as unknown as { readonly id: string }).id],
    );
    expect(await visitor.state()).toBe("used");
    expect(await visitor.page()).toBe("終わりました。システムに入れています");
  });

  it("makes the key here where there is no script, sends it once, and keeps nothing of it", async () => {
    const { made, visitor } = await identified();
    const page = await visitor.go("POST", "/way/certificates", { form: { bundle: "modern" } });
    expect(page.statusCode).toBe(200);
    const [, data = ""] = /base64,([A-Za-z0-9+/=]+)"/.exec(page.body) ?? [];
    const [, password = ""] = /<code>([^<]+)<\/code>/.exec(page.body) ?? [];
    expect(data.length).toBeGreaterThan(1000);
    expect(password.length).toBeGreaterThan(19);
    const again = await visitor.go("GET", "/way");
    expect(again.body).not.toContain(password);
    expect(again.body).toContain("前に保存したファイルは使いません");
    const [row] = await world.side.admin.query<{ key_origin: string }>(
      "select i.key_origin from app.binding b join ca.issued i on i.serial = b.serial where b.enrolment_id = $1",
      [made.id],
    );
    expect(row?.key_origin).toBe("server");
  });
});

const states = (id: string) =>
  world.side.admin.query<{ state: string; reason: number | null }>(
    `select i.state, i.reason from app.binding b join ca.issued i on i.serial = b.serial
     where b.enrolment_id = $1 order by i.issued_at, i.serial`,
    [id],
  );

describe("a provisional certificate", () => {
  it("is replaced by the next, and the one before is dead", async () => {
    const { made, visitor } = await identified();
    for (let turn = 0; turn < 3; turn += 1) {
      world.side.time.now = new Date(NOW.getTime() + turn * 1000);
      expect((await visitor.csr()).statusCode).toBe(200);
    }
    expect(await states(made.id)).toEqual([
      { state: "revoked", reason: 4 },
      { state: "revoked", reason: 4 },
      { state: "good", reason: null },
    ]);
  });

  it("is the same for the same request: a second style of file costs no second certificate", async () => {
    const { made, visitor } = await identified();
    const key = newKey();
    const [first, second] = [await visitor.csr(key), await visitor.csr(key)];
    expect(second.json()).toEqual(first.json());
    expect(await states(made.id)).toHaveLength(1);
  });

  it("leaves one good one when two tabs ask at once", async () => {
    const { made, visitor } = await identified();
    const answers = await Promise.all(Array.from({ length: 6 }, () => visitor.csr()));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(6).fill(200));
    const good = (await states(made.id)).filter(({ state }) => state === "good");
    expect(good).toHaveLength(1);
  });

  it("is made twenty times at most", async () => {
    const { visitor } = await identified();
    for (let turn = 0; turn < 20; turn += 1) expect((await visitor.csr()).statusCode).toBe(200);
    const last = await visitor.csr();
    expect([last.statusCode, last.json().type]).toEqual([409, "/problems/too-many-bundles"]);
  });
});

describe("another browser", () => {
  it("begins anew, must be identified anew, and leaves the first without anything", async () => {
    const { made, visitor } = await identified();
    const thief = new Visitor();
    expect((await thief.press({ code: made.code })).statusCode).toBe(303);
    expect(await thief.state()).toBe("identify");
    expect((await thief.csr()).statusCode).toBe(403);
    expect(await visitor.state()).toBe("elsewhere");
    expect(await visitor.page()).toBe("このブラウザーでは続けられません");
    expect((await visitor.csr()).statusCode).toBe(403);
    const { supportNumber, state } = await look(made.id);
    expect(state).toBe("started");
    expect(supportNumber).not.toBe(made.supportNumber);

    // Staff who heard the first number confirm nobody else's page.
    expect(await confirm(made.id)).toMatchObject({
      status: 409,
      body: { errors: [{ field: "supportNumber" }] },
    });
    expect((await confirm(made.id, { supportNumber: made.supportNumber })).status).toBe(409);
    expect(await thief.state()).toBe("identify");
    expect((await confirm(made.id, { supportNumber })).status).toBe(200);
    expect(await thief.state()).toBe("make");
  });

  it("is the same browser with its cookie, and pressing again changes nothing", async () => {
    const { made, visitor } = await identified();
    const before = await world.counts();
    expect((await visitor.press({ token: tokenOf(made) })).statusCode).toBe(303);
    expect(await visitor.state()).toBe("make");
    expect(await world.counts()).toEqual(before);
  });

  it("with a made-up secret is nobody", async () => {
    const visitor = new Visitor();
    for (const secret of ["", "x", "0".repeat(32), "f".repeat(4000)]) {
      visitor.cookie = `suido-way=${secret}`;
      expect(await visitor.state()).toBe("elsewhere");
      expect((await visitor.csr()).statusCode).toBe(403);
      expect((await visitor.go("POST", "/way/checks", { form: {} })).statusCode).toBe(403);
    }
  });
});

describe("bad input", () => {
  it("of another site's page is refused, and nothing is begun", async () => {
    const made = await make();
    const visitor = new Visitor();
    for (const headers of [
      { origin: "https://evil.example" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ]) {
      const reply = await visitor.press({ token: tokenOf(made) }, headers);
      expect(reply.statusCode).toBe(403);
    }
    expect(await look(made.id)).toMatchObject({ state: "invited" });
    const own = await visitor.press({ token: tokenOf(made) }, { origin: "http://localhost:8000" });
    expect(own.statusCode).toBe(303);
  });

  it("is a page with the field again, and never a 500", async () => {
    const visitor = new Visitor();
    const wrong = await visitor.press({ code: "AAAA-AAAA" });
    expect(wrong.statusCode).toBe(404);
    expect(wrong.body).toContain("このコードは見つかりません");
    const none = await visitor.go("GET", "/start/zz%00%ff");
    expect(none.statusCode).toBeLessThan(500);
    for (const form of [{}, { code: "x".repeat(5000) }, { code: "A", token: "B" }, { other: "1" }])
      expect((await visitor.press(form)).statusCode).toBe(400);
    const { visitor: known } = await identified();
    for (const csr of [
      "x",
      "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----",
    ]) {
      const reply = await known.go("POST", "/way/certificates", {
        form: { csr },
        headers: { accept: "application/json" },
      });
      expect(reply.statusCode).toBe(400);
      expect(reply.json().type).toMatch(/^\/problems\/malformed-/);
    }
    expect(await known.state()).toBe("make");
  });

  it("of a retired device or a disabled person makes no certificate", async () => {
    const { visitor } = await identified();
    await world.call("PATCH", `/v1/accounts/${tenant.accountId}`, { body: { disabled: true } });
    expect((await visitor.csr()).statusCode).toBe(403);
    const page = await visitor.go("POST", "/way/certificates", { form: {} });
    expect(page.headers.location).toBe("/way");
    expect(await visitor.page()).toBe("このご案内は取り消されました");
  });

  it("after the end of the invitation finds its page", async () => {
    const { visitor } = await identified();
    world.side.time.now = new Date(NOW.getTime() + 14 * 86_400_000);
    expect(await visitor.state()).toBe("expired");
    expect((await visitor.csr()).statusCode).toBe(403);
  });
});
