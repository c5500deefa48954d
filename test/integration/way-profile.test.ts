import { X509Certificate } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { FormVisitor } from "../support/form-visitor.ts";
import { mustRun, OpensslCa } from "../support/openssl-ca.ts";
import { Service, sentencesOf, serveUntilEnd, type World } from "../support/service.ts";

/** The profile of an iPhone, through the whole service as somebody would run it, before judges from outside. */

const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1";
const WINDOWS =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

interface Profile {
  readonly PayloadIdentifier: string;
  readonly PayloadUUID: string;
  readonly PayloadDisplayName: string;
  readonly TargetDeviceType: number;
  readonly PayloadContent: readonly {
    readonly PayloadContent: string;
    readonly PayloadDisplayName: string;
    readonly Password: string;
  }[];
}

const READ_PLIST = `import base64, json, plistlib, sys
print(json.dumps(plistlib.loads(sys.stdin.buffer.read()), default=lambda octets: base64.b64encode(octets).decode()))`;

let ca: OpensslCa;
let service: Service;
let world: World;
let signing: Record<string, string>;

beforeAll(async () => {
  ca = new OpensslCa();
  const signer = ca.leaf("profiles");
  const chain = readFileSync(signer.pem, "utf8") + readFileSync(ca.issuing.pem, "utf8");
  signing = {
    SUIDO_PROFILE_CERT: ca.write("chain.pem", chain),
    SUIDO_PROFILE_KEY: signer.key,
  };
  service = await Service.open(signing);
  world = await service.world("ios");
});
afterAll(async () => {
  await service.dispose();
  ca.dispose();
});

const visits = (agent = IPHONE): FormVisitor => new FormVisitor(service.instance.urls.app, agent);

async function identified(visitor: FormVisitor): Promise<void> {
  const { accountId, deviceId } = world;
  const made = await service.must<{ id: string; link: string }>("POST", "/v1/enrolments", {
    body: { accountId, deviceId },
  });
  await visitor.post("/start", { token: made.link.split("/").at(-1) ?? "" });
  await service.must("POST", `/v1/enrolments/${made.id}/confirm`, { body: { how: "telephone" } });
}

/** What OpenSSL takes out of the signature, and Python reads. */
function readSigned(body: Buffer): Profile {
  const [file, out] = [ca.write("got.mobileconfig", body), ca.file("got.plist")];
  const how = ["-inform", "DER", "-binary", "-purpose", "any", "-CAfile", ca.root.pem];
  mustRun("openssl", ["cms", "-verify", ...how, "-in", file, "-out", out]);
  return JSON.parse(mustRun("python3", ["-c", READ_PLIST], readFileSync(out, "utf8"))) as Profile;
}

/** The certificate whose key is in the profile too. */
function certificateIn({ PayloadContent: [identity] }: Profile): X509Certificate {
  const file = ca.write("got.p12", Buffer.from(identity?.PayloadContent ?? "", "base64"));
  const opened = ["-nodes", "-passin", `pass:${identity?.Password ?? ""}`];
  const text = mustRun("openssl", ["pkcs12", "-in", file, ...opened]);
  const key = ca.write("got.key", text.slice(text.indexOf("-----BEGIN PRIVATE KEY-----")));
  const certificate = new X509Certificate(text.slice(text.indexOf("-----BEGIN CERTIFICATE-----")));
  const publicKey = certificate.publicKey.export({ type: "spki", format: "pem" });
  expect(mustRun("openssl", ["pkey", "-in", key, "-pubout"])).toBe(publicKey);
  return certificate;
}

/** Whether any file of the service, its database and its log among them, has the text. */
const isKept = (text: string): boolean =>
  readdirSync(service.dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .some((entry) => readFileSync(path.join(entry.parentPath, entry.name)).includes(text));

it("gives an identified iPhone a signed profile, and the next one takes its place", async () => {
  const visitor = visits();
  await identified(visitor);
  const reply = await visitor.post("/way/profile");
  expect(reply.status).toBe(200);
  expect(reply.headers.get("content-type")).toBe("application/x-apple-aspen-config");
  expect(reply.headers.get("cache-control")).toBe("no-store");
  const first = readSigned(reply.body);
  expect(first).toMatchObject({
    PayloadIdentifier: `localhost.suido.suido.device.${world.deviceId}`,
    PayloadDisplayName: "「受付1号機」の証明書",
    TargetDeviceType: 1,
  });
  const one = certificateIn(first);
  expect(`CN=${first.PayloadContent[0]?.PayloadDisplayName ?? ""}`).toBe(one.subject);
  const status = await service.status(one.serialNumber.toLowerCase());
  expect(status).toMatchObject({ status: "good", deviceId: world.deviceId });
  expect(isKept(world.deviceId)).toBe(true);
  expect(isKept(first.PayloadContent[0]?.Password ?? "")).toBe(false);

  const second = readSigned((await visitor.post("/way/profile")).body);
  expect([second.PayloadIdentifier, second.PayloadUUID]).toEqual([
    first.PayloadIdentifier,
    first.PayloadUUID,
  ]);
  const two = certificateIn(second);
  expect(two.serialNumber).not.toBe(one.serialNumber);
  expect(await service.status(one.serialNumber.toLowerCase())).toMatchObject({
    status: "revoked",
    reason: "superseded",
  });
});

it("gives none to a browser that has not begun, is not identified, or runs on something else", async () => {
  const nobody = await visits().post("/way/profile");
  expect([nobody.status, nobody.headers.get("location")]).toEqual([303, "/way"]);

  const { accountId, deviceId } = world;
  const made = await service.must<{ link: string }>("POST", "/v1/enrolments", {
    body: { accountId, deviceId },
  });
  const started = visits();
  await started.post("/start", { token: made.link.split("/").at(-1) ?? "" });
  expect((await started.post("/way/profile")).status).toBe(303);

  const counted = (): Promise<{ items: readonly unknown[] }> =>
    service.must("GET", `/v1/certificates?deviceId=${deviceId}`);
  const before = (await counted()).items.length;
  const windows = visits(WINDOWS);
  await identified(windows);
  expect((await windows.post("/way/profile")).status).toBe(303);
  expect((await counted()).items).toHaveLength(before);
});

it("does not start with a signer's certificate that another key belongs to", async () => {
  await service.stop();
  const env = { ...service.env, SUIDO_PROFILE_KEY: ca.issuing.key };
  const { code, said } = await serveUntilEnd(env, { timeoutMs: 60_000 });
  expect([code, sentencesOf(said).join("\n")]).toEqual([
    1,
    expect.stringContaining("SUIDO_PROFILE_KEY cannot sign profiles: the key is not that"),
  ]);
}, 90_000);
