import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { insertParty } from "../../support/relying-parties.ts";
import { newKey, NOW } from "../ca/app-side.ts";
import { type CheckWorld, type Device, openCheckWorld, selfSigned } from "./check-world.ts";
import { Visitor } from "./visitor.ts";
import type { Tenant } from "./world.ts";

const RENEW = "https://localhost:8443/renew";
const HTML = { accept: "text/html", "accept-language": "ja" };

let world: CheckWorld;
let tenant: Tenant;
let device: Device;
let count = 0;

beforeAll(async () => {
  world = await openCheckWorld();
});
beforeEach(async () => {
  world.side.time.now = NOW;
  tenant = await world.tenant(`薬局${(count += 1)}`);
  device = await world.issue(tenant);
});
afterAll(() => world.close());

const later = (ms: number): void => {
  world.side.time.now = new Date(NOW.getTime() + ms);
};

/** Presses 「更新する」 and follows where it leads. */
async function renew(client: Device = device): Promise<Visitor> {
  const pressed = await world.visit(RENEW, { client, method: "POST", headers: HTML });
  expect(pressed.status).toBe(303);
  const visitor = new Visitor(world.app);
  const { pathname } = new URL(String(pressed.headers["location"]));
  expect(pathname).toMatch(/^\/renewals\/[0-9a-f]{32}$/);
  const followed = await visitor.go("GET", pathname);
  expect([followed.statusCode, followed.headers.location]).toEqual([303, "/way"]);
  return visitor;
}

const stop = (serialNumber: string, reason: string) =>
  world.call("POST", `/v1/certificates/${serialNumber}/revoke`, { body: { reason } });

const status = async (serialNumber: string) =>
  (await world.call("GET", `/v1/certificates/${serialNumber}`)).body as unknown as Record<
    string,
    unknown
  >;

describe("renewal on the device", () => {
  it("goes from the old certificate to a proven new one of the same device, and leaves the old one good", async () => {
    const page = await world.visit(RENEW, { client: device, headers: HTML });
    expect(page.status).toBe(200);
    expect(page.text).toContain("この端末の証明書を更新します");
    expect(page.text).toContain("受付1号機");
    const visitor = await renew();
    // No telephone, no code: the handshake has said who it is.
    expect(await visitor.state()).toBe("make");
    const key = newKey();
    const answer = await visitor.csr(key);
    expect(answer.statusCode).toBe(200);
    const { certificate: cert } = answer.json<{ certificate: string }>();
    const check = await visitor.go("POST", "/way/checks", { form: {} });
    expect(await world.outcome(String(check.headers.location), { key, cert })).toMatchObject({
      outcome: "proven",
      deviceName: "受付1号機",
    });
    expect(await visitor.state()).toBe("proven");
    const old = await status(device.serialNumber);
    expect(old).toMatchObject({ status: "good" });
    const made = await status(String(old["replacedBy"]));
    expect(old).toMatchObject({ identifiedHow: "api" });
    expect(made).toMatchObject({
      status: "good",
      replaces: device.serialNumber,
      identifiedHow: "certificate",
    });
    expect(made["provenAt"]).toBe(NOW.toISOString());
    const list = await world.call("GET", `/v1/enrolments?deviceId=${tenant.deviceId}`);
    expect(list.body.items).toMatchObject([
      {
        state: "proven",
        reason: "renewal",
        identifiedHow: "certificate",
        identifiedBy: `certificate:${device.serialNumber}`,
      },
    ]);
  });

  it("keeps the language that was chosen, from one host to the other", async () => {
    const page = await world.visit(`${RENEW}?lang=en`, { client: device, headers: HTML });
    const action = /<form method="post" action="([^"]+)"/.exec(page.text)?.[1] ?? "";
    expect(action).toBe("/renew?lang=en");
    const address = String(new URL(action, RENEW));
    const pressed = await world.visit(address, { client: device, method: "POST", headers: HTML });
    const { pathname, search } = new URL(String(pressed.headers["location"]));
    const visitor = new Visitor(world.app);
    await visitor.go("GET", pathname + search);
    expect(await visitor.page()).toBe("Save the file");
  });

  it("changes nothing by being looked at, a hundred times", async () => {
    const before = await world.counts();
    for (let turn = 0; turn < 100; turn += 1)
      expect((await world.visit(RENEW, { client: device, headers: HTML })).status).toBe(200);
    expect(await world.counts()).toEqual(before);
  });

  it("opens once, within a minute, and for nobody else's token", async () => {
    const pressed = await world.visit(RENEW, { client: device, method: "POST", headers: HTML });
    const { pathname } = new URL(String(pressed.headers["location"]));
    expect((await new Visitor(world.app).go("GET", pathname)).statusCode).toBe(303);
    const second = await new Visitor(world.app).go("GET", pathname);
    expect(second.statusCode).toBe(404);
    expect(second.body).toContain("このブラウザーでは続けられません");
    for (const token of ["x", "0".repeat(32), "%00", "f".repeat(500)])
      expect((await new Visitor(world.app).go("GET", `/renewals/${token}`)).statusCode).toBe(404);
    // Nor is it a link of an invitation.
    const token = pathname.split("/").at(-1) ?? "";
    expect((await new Visitor(world.app).press({ token })).statusCode).toBe(404);

    const slow = await world.visit(RENEW, { client: device, method: "POST", headers: HTML });
    later(61_000);
    const { pathname: late } = new URL(String(slow.headers["location"]));
    expect((await new Visitor(world.app).go("GET", late)).statusCode).toBe(404);
  });

  it("pressed again leaves one way open, and of what was made and not proven the newest certificate", async () => {
    const first = await renew();
    const key = newKey();
    const { certificate: cert } = (await first.csr(key)).json<{ certificate: string }>();
    const check = String((await first.go("POST", "/way/checks", { form: {} })).headers.location);
    const serialNumber = String((await status(device.serialNumber))["replacedBy"]);
    const second = await renew();
    expect(await first.state()).toBe("replaced");
    expect((await first.csr()).statusCode).toBe(403);
    // What was begun anew may come to nothing: until there is another, the first is good.
    expect(await status(serialNumber)).toMatchObject({ status: "good" });
    expect((await second.csr()).statusCode).toBe(200);
    expect(await status(serialNumber)).toMatchObject({ status: "revoked", reason: "superseded" });
    expect(await world.outcome(check, { key, cert })).toMatchObject({ outcome: "revoked" });
    expect(await status(device.serialNumber)).toMatchObject({ status: "good" });
  });

  it("begun anew leaves alone what was proven, or works in a product", async () => {
    const first = await renew();
    const proved = await proven(first);
    const second = await renew();
    expect((await second.csr()).statusCode).toBe(200);
    const [seen] = await world.side.admin.query<{ serial: string }>(
      `insert into party.use (relying_party_id, serial, first_at, last_at)
       select $1, i.serial, $2, $2 from ca.issued i where i.replaces = decode($3, 'hex') and i.proven_at is null
       returning encode(serial, 'hex') as serial`,
      [(await insertParty(world.side.admin)).id, NOW, device.serialNumber],
    );
    expect((await (await renew()).csr()).statusCode).toBe(200);
    for (const serialNumber of [proved.serialNumber, String(seen?.serial)])
      expect(await status(serialNumber)).toMatchObject({ status: "good" });
  });

  it("is refused without a certificate, with a stranger's, and with one that is revoked or on hold: with the page that says why", async () => {
    const pages: Record<string, string> = {};
    const visit = async (name: string, client?: Parameters<typeof world.outcome>[1]) => {
      const asking = client === undefined ? { headers: HTML } : { client, headers: HTML };
      for (const method of ["GET", "POST"])
        pages[`${name} ${method}`] = String(
          (await world.visit(RENEW, { ...asking, method })).status,
        );
    };
    const before = await world.counts();
    await visit("none");
    await visit("stranger", selfSigned());
    expect(await world.counts()).toEqual(before);
    await world.call("POST", `/v1/certificates/${device.serialNumber}/revoke`, {
      body: { reason: "certificateHold" },
    });
    await visit("hold", device);
    await world.call("POST", `/v1/certificates/${device.serialNumber}/revoke`, {
      body: { reason: "keyCompromise" },
    });
    await visit("revoked", device);
    expect(new Set(Object.values(pages))).toEqual(new Set(["403"]));
    expect(Object.keys(pages)).toHaveLength(8);
    const list = await world.call("GET", `/v1/enrolments?deviceId=${tenant.deviceId}`);
    expect(list.body.items).toEqual([]);
  });

  it("is begun by no other site's page, though the browser would send its certificate", async () => {
    for (const headers of [
      { ...HTML, origin: "https://evil.example" },
      { ...HTML, "sec-fetch-site": "cross-site" },
    ]) {
      const reply = await world.visit(RENEW, { client: device, method: "POST", headers });
      expect(reply.status).toBe(403);
    }
    const list = await world.call("GET", `/v1/enrolments?deviceId=${tenant.deviceId}`);
    expect(list.body.items).toEqual([]);
  });

  it("takes no headers for a certificate", async () => {
    const der = device.cert.replaceAll(/-----[A-Z ]+-----|\s/g, "");
    const headers = { ...HTML, "client-cert": `:${der}:`, "x-ssl-client-der": der };
    expect((await world.visit(RENEW, { headers, method: "POST" })).status).toBe(403);
  });

  it("makes no certificate once the old one was revoked on the way, and says whom to call with which number", async () => {
    const visitor = await renew();
    await stop(device.serialNumber, "keyCompromise");
    expect((await visitor.csr()).statusCode).toBe(409);
    expect(await visitor.state()).toBe("barred");
    const { body } = await visitor.go("GET", "/way");
    expect(body).toContain("止められた証明書は、更新できません");
    expect(body).toMatch(
      /お問い合わせ番号<\/span>\s*<b class="number" aria-hidden="true">\d{3} \d{3}</,
    );
  });
});

/** Goes on to the check with a new key, and shows this one. */
async function proven(visitor: Visitor): Promise<Device> {
  const key = newKey();
  const { certificate: cert } = (await visitor.csr(key)).json<{ certificate: string }>();
  const check = await visitor.go("POST", "/way/checks", { form: {} });
  const { outcome, serialNumber } = await world.outcome(String(check.headers.location), {
    key,
    cert,
  });
  expect(outcome).toBe("proven");
  return { key, cert, serialNumber: String(serialNumber) };
}

/** What somebody reads there, and what they can press. */
async function shown(client: Device, agent?: string): Promise<{ status: number; text: string }> {
  const headers = agent === undefined ? HTML : { ...HTML, "user-agent": agent };
  return world.visit(RENEW, { client, headers });
}

describe("a device that shows its old certificate although it has a newer one", () => {
  const IPHONE =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1";
  const WINDOWS =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

  it("is told which to choose and how, drawn for its browser, and can put one here all the same", async () => {
    const newer = await proven(await renew());
    const page = await shown(device, WINDOWS);
    expect(page.status).toBe(200);
    const number = newer.serialNumber.match(/.{4}/g)?.join(" ") ?? "";
    for (const words of [
      "新しい証明書が、もうこの端末にあります",
      "受付1号機 2027-12",
      "2027年12月",
      number,
      "まず、ブラウザーの画面をすべて閉じます",
      "終了(X)",
      "2つとも同じ名前のときは",
      'href="tel:0120000000"',
    ])
      expect(page.text).toContain(words);
    expect(page.text.match(/<svg class="down"/g)).toHaveLength(2);
    // Of two with one name the wrong one would be deleted as easily.
    expect(page.text).not.toContain("前の証明書を消すには");
    const phone = await shown(device, IPHONE);
    expect(phone.text).toContain("アプリを切り替える画面");
    expect(phone.text.match(/<svg class="down"/g)).toHaveLength(1);
    expect((await shown(newer)).text).toContain("この端末の証明書を更新します");

    // Another user of the machine has only the old one, and goes on with it.
    expect(page.text).toContain('<form method="post" action="/renew">');
    await renew();
    expect(await status(device.serialNumber)).toMatchObject({ status: "good" });
    // Nobody has proven that one: it changes nothing for the first.
    expect((await shown(device)).text).toContain(number);

    await stop(device.serialNumber, "superseded");
    const late = await shown(device, WINDOWS);
    expect(late.status).toBe(403);
    expect(late.text).toContain(number);
    expect(late.text).not.toContain("<form");
    await stop(newer.serialNumber, "keyCompromise");
    for (const each of [device, newer])
      expect((await shown(each)).text).toContain("止められた証明書は、更新できません");
  });

  it("sees both names in the drawing of a check, and how the old one is deleted", async () => {
    const old = await world.issue(tenant);
    await world.side.admin.query(
      "update ca.issued set common_name = '受付1号機 2026-12' where serial = decode($1, 'hex')",
      [old.serialNumber],
    );
    const newer = await world.renew(old);
    const { url } = await world.check(newer.serialNumber);
    const { text } = await world.visit(url, {
      client: old,
      headers: { ...HTML, "user-agent": WINDOWS },
    });
    expect(text).toContain("この端末の、前の証明書が選ばれました");
    expect(text).toContain("ユーザー証明書の管理");
    expect(text.match(/受付1号機 2026-12/g)?.length).toBeGreaterThan(2);
  });
});

const DAY_MS = 86_400_000;
const asked = ({ accountId, deviceId } = tenant) =>
  world.call("POST", "/v1/enrolments", {
    body: { accountId, deviceId, reason: "renewal", duringCall: true },
  });
const at = (ms: number): void => {
  world.side.time.now = world.side.time.signer = new Date(ms);
};
const endOf = async () => Date.parse(String((await status(device.serialNumber))["notAfter"]));

describe("renewal by the portal", () => {
  it("is refused later, and never given for what is revoked or on hold", async () => {
    at((await endOf()) + 14 * DAY_MS + 1000);
    const refused = { status: 409, body: { type: "/problems/invalid-state" } };
    expect(await asked()).toMatchObject(refused);
    at(NOW.getTime());
    for (const reason of ["certificateHold", "cessationOfOperation"]) {
      await world.call("POST", `/v1/certificates/${device.serialNumber}/revoke`, {
        body: { reason },
      });
      expect(await asked()).toMatchObject(refused);
    }
    const list = await world.call("GET", `/v1/enrolments?deviceId=${tenant.deviceId}`);
    expect(list.body.items).toEqual([]);
  });

  // Last: the signer's clock does not go back.
  it("takes a code and an identification up to 14 days after the end, and the line goes on", async () => {
    const other = await world.tenant("おそい薬局");
    await world.issue(other);
    at((await endOf()) + 13 * DAY_MS);
    const late = (await asked(other)).body as unknown as {
      readonly code: string;
      readonly supportNumber: string;
    };
    // No proxy lets it in, and nor does the device's own page, which says until when and how it goes on.
    const page = await shown(device);
    expect(page.status).toBe(403);
    expect(page.text).toContain("期限が切れましたが、まだ更新できます");
    expect(page.text).toMatch(/>2028年1月4日<\/time>までは、お電話で/);
    expect(page.text).toContain('href="tel:0120000000"');
    expect(page.text).toContain('href="http://localhost:8000/start"');
    const { body, status: code } = await asked();
    expect(code).toBe(201);
    const made = body as unknown as { readonly id: string; readonly code: string };
    const visitor = new Visitor(world.app);
    expect((await visitor.press({ code: made.code })).statusCode).toBe(303);
    expect((await visitor.csr()).statusCode).toBe(403);
    const call = { key: world.keys.support, body: { how: "telephone" } };
    await world.call("POST", `/v1/enrolments/${made.id}/confirm`, call);
    expect((await visitor.csr()).statusCode).toBe(200);
    const { replacedBy } = await status(device.serialNumber);
    expect(await status(String(replacedBy))).toMatchObject({
      replaces: device.serialNumber,
      identifiedHow: "telephone",
    });

    // Whoever comes after that with what was made in time reads whom to call.
    at((await endOf()) + 14 * DAY_MS + 1000);
    expect((await shown(device)).text).toContain("この証明書は、もう更新できません");
    const slow = new Visitor(world.app);
    expect((await slow.press({ code: late.code })).statusCode).toBe(303);
    expect(await slow.state()).toBe("late");
    const told = (await slow.go("GET", "/way")).body;
    expect(told).toContain("更新できる期間が過ぎました");
    expect(told.replaceAll(" ", "")).toContain(late.supportNumber);
  });
});
