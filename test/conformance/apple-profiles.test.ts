import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { plainSite } from "../../src/config/site.ts";
import { nodePkcs12Crypto } from "../../src/ca/pkcs12-crypto.ts";
import { openAppleProfiles } from "../../src/cli/apple-profiles.ts";
import { createSystem } from "../../src/cli/system.ts";
import { loadConfig } from "../../src/config/environment.ts";
import type { AppleProfile, AppleProfileFacts } from "../../src/lifecycle/apple-profile.ts";
import { buildPkcs12 } from "../../src/pki/pkcs12.ts";
import { mustRun, OpensslCa, type Party, run } from "../support/openssl-ca.ts";

/** Apple's profiles before judges that nobody here wrote: Python reads the property list, OpenSSL and GnuTLS the signature. */

/** Octets come out as Base64. */
const READ_PLIST = `import base64, json, plistlib, sys
print(json.dumps(plistlib.loads(sys.stdin.buffer.read(), fmt=plistlib.FMT_XML),
  default=lambda octets: base64.b64encode(octets).decode()))`;

interface ReadProfile extends Record<string, unknown> {
  readonly PayloadIdentifier: string;
  readonly PayloadUUID: string;
  readonly PayloadContent: readonly (Record<string, unknown> & {
    readonly PayloadContent: string;
    readonly PayloadUUID: string;
  })[];
}

const readPlist = (xml: string): ReadProfile =>
  JSON.parse(mustRun("python3", ["-c", READ_PLIST], xml)) as ReadProfile;

const containing = (text: string): unknown => expect.stringContaining(text);

const PASSWORD = "ABCD-EFGH-JKLM-2345-6789";
const DEVICE = "0190a0c6-7a50-7cc8-b0b1-1d9f1b7a9e01";

let ca: OpensslCa;
let device: Party;
let facts: AppleProfileFacts;
/** Two that sign, and all that a verifier trusts. */
let signers: Readonly<Record<"ec" | "rsa", { readonly chain: string; readonly key: string }>>;
let logged: string[];

function rsaSigner(): { readonly chain: string; readonly key: string } {
  const [key, csr, pem] = ["rsa.key", "rsa.csr", "rsa.pem"].map((name) => ca.file(name));
  const made = ["-newkey", "rsa:2048", "-nodes", "-subj", "/CN=profiles.example.jp"];
  mustRun("openssl", ["req", "-new", ...made, "-keyout", key ?? "", "-out", csr ?? ""]);
  const by = ["-CA", ca.issuing.pem, "-CAkey", ca.issuing.key, "-days", "30"];
  mustRun("openssl", ["x509", "-req", "-in", csr ?? "", ...by, "-out", pem ?? ""]);
  return { chain: withChain("rsa-chain.pem", pem ?? ""), key: key ?? "" };
}

const withChain = (name: string, pem: string): string =>
  ca.write(name, readFileSync(pem, "utf8") + readFileSync(ca.issuing.pem, "utf8"));

beforeAll(async () => {
  ca = new OpensslCa();
  device = ca.leaf("device");
  const ec = ca.leaf("signer", "subjectAltName=DNS:profiles.example.jp\n");
  signers = { ec: { chain: withChain("ec-chain.pem", ec.pem), key: ec.key }, rsa: rsaSigner() };
  const key = createPrivateKey(readFileSync(device.key)).export({ type: "pkcs8", format: "der" });
  const file = await buildPkcs12(
    {
      key: new Uint8Array(key),
      certificate: device.der,
      chain: [ca.issuing.der],
      friendlyName: "desk 2027-12",
      localKeyId: device.keyIdentifier,
      password: PASSWORD,
      style: "compatible",
    },
    nodePkcs12Crypto,
  );
  facts = {
    deviceId: DEVICE,
    deviceName: "投薬台iPad",
    pharmacyName: "みなと薬局",
    commonName: "みなと薬局 投薬台iPad 2027-12",
    notAfter: new Date("2027-12-21T14:59:59Z"),
    pkcs12: { data: Buffer.from(file).toString("base64"), password: PASSWORD },
    platform: "ipados",
    language: "ja",
  };
});
beforeEach(() => {
  logged = [];
});
afterAll(() => ca.dispose());

interface Site {
  readonly env?: Record<string, string>;
  readonly clock?: () => Date;
}

const profilesOf = async ({ env = {}, clock = () => new Date() }: Site = {}) =>
  openAppleProfiles({
    site: plainSite(),
    config: loadConfig({ SUIDO_TRUST_DOMAIN: "ca.example.jp", ...env }),
    system: { ...createSystem(), clock },
    log: pino({ level: "warn" }, { write: (line: string) => void logged.push(line) }),
  });

const signedBy = ({ chain, key }: { readonly chain: string; readonly key: string }) => ({
  env: { SUIDO_PROFILE_CERT: chain, SUIDO_PROFILE_KEY: key },
});

const build = async (changes: Partial<AppleProfileFacts> = {}): Promise<ReadProfile> => {
  const profiles = await profilesOf();
  const { body, isSigned } = await profiles.build({ ...facts, ...changes });
  expect(isSigned).toBe(false);
  return readPlist(new TextDecoder().decode(body));
};

const identifiersOf = ({ PayloadContent, ...top }: ReadProfile) =>
  [top, ...PayloadContent].flatMap(({ PayloadIdentifier: name, PayloadUUID: uuid }) => [
    name,
    uuid,
  ]);

/** What OpenSSL says of the signature, and what it takes out. */
function verified({ body }: AppleProfile, roots: string) {
  const out = ca.file("content.plist");
  const file = ca.write("signed.mobileconfig", body);
  const how = ["-inform", "DER", "-binary", "-purpose", "any", "-CAfile", roots];
  const { code, text } = run("openssl", ["cms", "-verify", ...how, "-in", file, "-out", out]);
  return { code, text, content: code === 0 ? readFileSync(out, "utf8") : "" };
}

describe("an Apple profile", () => {
  it("is a property list with the payloads of Apple's schema", async () => {
    const { PayloadContent, ...top } = await build();
    const identifier = `jp.example.ca.suido.device.${DEVICE}`;
    expect(top).toEqual({
      PayloadType: "Configuration",
      PayloadVersion: 1,
      PayloadIdentifier: identifier,
      PayloadUUID: expect.stringMatching(
        /^[\dA-F]{8}-[\dA-F]{4}-8[\dA-F]{3}-[89AB][\dA-F]{3}-[\dA-F]{12}$/,
      ) as unknown,
      PayloadDisplayName: "「投薬台iPad」の証明書",
      PayloadDescription: expect.stringMatching(
        /^みなと薬局の「投薬台iPad」.*2027年12月21日\(火\)まで/,
      ) as unknown,
      PayloadOrganization: "Suido",
      PayloadScope: "User",
      TargetDeviceType: 1,
    });
    expect(PayloadContent).toEqual([
      {
        PayloadType: "com.apple.security.pkcs12",
        PayloadVersion: 1,
        PayloadIdentifier: `${identifier}.identity`,
        PayloadUUID: expect.not.stringContaining(top.PayloadUUID) as unknown,
        PayloadDisplayName: facts.commonName,
        PayloadCertificateFileName: "certificate.p12",
        PayloadContent: facts.pkcs12.data,
        Password: PASSWORD,
        AllowAllAppsAccess: true,
        KeyIsExtractable: false,
      },
    ]);
  });

  it("holds a PKCS#12 file that its own password opens", async () => {
    const [identity] = (await build()).PayloadContent;
    const file = ca.write("inner.p12", Buffer.from(identity?.PayloadContent ?? "", "base64"));
    const open = (password: string) =>
      run("openssl", ["pkcs12", "-in", file, "-nodes", "-passin", `pass:${password}`]);
    const { code, text } = open(String(identity?.["Password"]));
    expect([code, new X509Certificate(text).serialNumber.toLowerCase()]).toEqual([
      0,
      device.serial,
    ]);
    expect(text).toContain("-----BEGIN PRIVATE KEY-----");
    expect(open("another").code).not.toBe(0);
  });

  it("speaks English where the page does", async () => {
    expect(await build({ language: "en", deviceName: "Desk 1" })).toMatchObject({
      PayloadDisplayName: "Certificate of “Desk 1”",
      PayloadDescription: containing("until Tuesday"),
    });
  });

  it("names no kind of device where a Mac may be an iPad", async () => {
    expect(await build({ platform: "macos" })).not.toHaveProperty("TargetDeviceType");
  });

  it("takes the place of the one before on the same device, and of no other's", async () => {
    const first = identifiersOf(await build());
    const notAfter = new Date("2029-01-31T14:59:59Z");
    const renewed = await build({ commonName: "another", notAfter, deviceName: "renamed" });
    expect(identifiersOf(renewed)).toEqual(first);
    const other = identifiersOf(await build({ deviceId: DEVICE.replace(/1$/, "2") }));
    expect(new Set([...first, ...other]).size).toBe(8);
  });

  it.for([
    { name: "markup", given: `"><string>x</string>&amp;<!-- ]]> 'quoted'` },
    { name: "entities", given: "&lol; %25 <![CDATA[x]]>" },
    { name: "beyond the first plane", given: "薬局😀𠮷野" },
    { name: "line ends", given: "one\r\ntwo\rthree\n\tfour" },
    { name: "right to left", given: "\u202Egnp.txt\u202C \u200Fא" },
    { name: "controls", given: "a\u0000b\u001Bc\uFFFEd", held: "a\uFFFDb\uFFFDc\uFFFDd" },
    { name: "half of a pair", given: "a\uD83Db", held: "a\uFFFDb" },
  ])("keeps $name in a name as data", async ({ given, held = given }) => {
    const profile = await build({ deviceName: given, pharmacyName: given, commonName: given });
    expect(profile).toMatchObject({
      PayloadDisplayName: `「${held}」の証明書`,
      PayloadDescription: containing(`${held}の「${held}」`),
      PayloadContent: [{ PayloadDisplayName: held, Password: PASSWORD }],
    });
    expect(profile.PayloadContent).toHaveLength(1);
  });
});

describe("a signed Apple profile", () => {
  it.for(["ec", "rsa"] as const)("verifies with the chain inside it, by %s", async (kind) => {
    const made = await (await profilesOf(signedBy(signers[kind]))).build(facts);
    expect(made.isSigned).toBe(true);
    const { code, text, content } = verified(made, ca.root.pem);
    expect([code, text]).toEqual([0, containing("successful")]);
    expect(readPlist(content)).toMatchObject({ PayloadType: "Configuration" });
    const judge = ["--p7-verify", "--inder", "--load-ca-certificate", ca.root.pem, "--infile"];
    expect(run("certtool", [...judge, ca.file("signed.mobileconfig")]).text).toContain(
      "status: ok",
    );
    const shown = mustRun("openssl", [
      "cms",
      "-cmsout",
      "-print",
      "-inform",
      "DER",
      "-in",
      ca.file("signed.mobileconfig"),
    ]);
    expect(shown).toMatch(/signingTime.*\n.*\n.*UTCTIME/);
    expect(shown.match(/d\.certificate:/g)).toHaveLength(2);
  });

  it("is refused by whoever trusts another root, and once it was changed", async () => {
    const other = new OpensslCa();
    try {
      const made = await (await profilesOf(signedBy(signers.ec))).build(facts);
      expect(verified(made, other.root.pem).code).not.toBe(0);
      const changed = Buffer.from(made.body);
      changed.write("X", changed.indexOf("KeyIsExtractable"));
      const { code, text } = verified({ body: changed, isSigned: true }, ca.root.pem);
      expect([code, text]).toEqual([4, containing("content verify error")]);
    } finally {
      other.dispose();
    }
  });

  it.for([
    {
      name: "has expired",
      site: () => ({ ...signedBy(signers.ec), clock: () => new Date("2099-01-01") }),
      says: "expired",
    },
    {
      name: "is not valid yet",
      site: () => ({ ...signedBy(signers.ec), clock: () => new Date("2001-01-01") }),
      says: "not valid before",
    },
    {
      name: "belongs to another key",
      site: () => signedBy({ chain: signers.rsa.chain, key: signers.ec.key }),
      says: "not that of the first certificate",
    },
    {
      name: "has a stranger behind it",
      site: () =>
        signedBy({
          chain: ca.write(
            "stray.pem",
            readFileSync(signers.ec.chain, "utf8").split(/(?=-----BEGIN)/)[0] +
              readFileSync(ca.root.pem, "utf8"),
          ),
          key: signers.ec.key,
        }),
      says: "certificate 2 of the file",
    },
    {
      name: "is none",
      site: () => signedBy({ chain: ca.write("empty.pem", ""), key: signers.ec.key }),
      says: "no certificate",
    },
    {
      name: "is broken",
      site: () =>
        signedBy({
          chain: ca.write(
            "broken.pem",
            readFileSync(signers.ec.chain, "utf8")
              .replace("MII", "!!!")
              .replace("\nMIIB", "\n????"),
          ),
          key: signers.ec.key,
        }),
      says: "certificate cannot be read",
    },
    {
      name: "has a broken key",
      site: () => signedBy({ chain: signers.ec.chain, key: ca.write("broken.key", "x") }),
      says: "the key cannot be read",
    },
    {
      name: "is not there",
      site: () => signedBy({ chain: ca.file("nowhere.pem"), key: signers.ec.key }),
      says: "nowhere.pem cannot be read",
    },
    { name: "has a weak key", site: () => signedBy(weakSigner()), says: "neither RSA" },
  ])("keeps the service from starting where its certificate $name", async ({ site, says }) => {
    await expect(profilesOf(site())).rejects.toThrow(
      new RegExp(`^SUIDO_PROFILE_CERT and SUIDO_PROFILE_KEY cannot sign profiles: .*${says}`),
    );
  });

  it("takes new files without a start, and goes out unsigned where those cannot sign", async () => {
    const chain = ca.write("live.pem", readFileSync(signers.ec.chain));
    const key = ca.write("live.key", readFileSync(signers.ec.key));
    const profiles = await profilesOf(signedBy({ chain, key }));
    ca.write("live.pem", readFileSync(signers.rsa.chain));
    expect((await profiles.build(facts)).isSigned).toBe(false);
    expect(logged).toEqual([containing("profiles go out unsigned")]);
    expect(logged.join("")).not.toContain(PASSWORD);
    ca.write("live.key", readFileSync(signers.rsa.key));
    const made = await profiles.build(facts);
    expect([made.isSigned, verified(made, ca.root.pem).code]).toEqual([true, 0]);
  });

  it("is missed in production, and said so at the start", async () => {
    const env = {
      SUIDO_MODE: "production",
      SUIDO_VA_URL: "http://va.example.jp",
      SUIDO_KEK_FILE: "/etc/suido/kek",
      SUIDO_MTLS_CERT: "/etc/suido/mtls.pem",
      SUIDO_MTLS_KEY: "/etc/suido/mtls.key",
    };
    await profilesOf({ env });
    expect(logged).toEqual([containing("SUIDO_PROFILE_CERT is not set")]);
    logged.length = 0;
    await profilesOf();
    expect(logged).toEqual([]);
  });
});

function weakSigner(): { readonly chain: string; readonly key: string } {
  const [chain, key] = [ca.file("weak.pem"), ca.file("weak.key")];
  const made = ["-newkey", "rsa:1024", "-nodes", "-days", "9", "-subj", "/CN=weak"];
  mustRun("openssl", ["req", "-x509", ...made, "-keyout", key, "-out", chain]);
  return { chain, key };
}
