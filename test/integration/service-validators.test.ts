import { mkdirSync } from "node:fs";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ask } from "../support/outside-judge.ts";
import { RelyingParty } from "../support/relying-party.ts";
import { type Issued, Service } from "../support/service.ts";

let service: Service;
let party: RelyingParty;
let good: Issued;
let revoked: Issued;

beforeAll(async () => {
  service = await Service.open();
  const world = await service.world();
  party = await RelyingParty.open(service);
  good = await service.issue(world);
  revoked = await service.issue(world);
  await service.revoke(revoked.serialNumber, "keyCompromise");
  await service.command("crl", "publish");
  party.write("lists.pem", await service.published("crl/bundle.pem"));
});

afterAll(async () => {
  party.dispose();
  await service.dispose();
});

const where = (): readonly string[] => ["-d", `sql:${party.file("nss")}`];

describe("the JDK's path validation, with revocation of the whole path and no soft failure", () => {
  const JUDGE = path.resolve("test/support/java/PkixJudge.java");

  async function judged(leaf: Issued, by: string): Promise<string> {
    const files = [party.file("root-g1.pem"), party.file("issuing-g1.pem"), party.leaf(leaf)];
    const { text } = await ask("java", [JUDGE, ...files, by]);
    return text.trim();
  }

  it("O12 O23 by OCSP, at the addresses that certificates name", async () => {
    expect(await judged(good, "ocsp")).toBe("valid");
    expect(await judged(revoked, "ocsp")).toMatch(/^REVOKED at 0: .*KEY_COMPROMISE/);
  });

  it("R17 R22 by the lists of the bundle", async () => {
    const lists = party.file("lists.pem");
    expect(await judged(good, lists)).toBe("valid");
    expect(await judged(revoked, lists)).toMatch(/^REVOKED at 0: .*KEY_COMPROMISE/);
  });
});

async function imported(leaf: Issued): Promise<string> {
  const file = party.leaf(leaf);
  await ask("certutil", ["-A", ...where(), "-n", leaf.serialNumber, "-t", ",,", "-a", "-i", file]);
  return leaf.serialNumber;
}

async function heard(leaf: Issued): Promise<string> {
  const question = ["-S", await imported(leaf), "-u", "C"];
  return (await ask("ocspclnt", [...where(), ...question])).text;
}

function verdict(leaf: Issued, by: string): ReturnType<typeof ask> {
  const how = ["-pp", "-u", "0", "-g", "leaf", "-m", by, "-s", "failIfNoInfo"];
  return ask("vfychain", [...where(), ...how, "-a", party.leaf(leaf)]);
}

describe("NSS, with the root as its only trust", () => {
  beforeAll(async () => {
    mkdirSync(party.file("nss"));
    await ask("certutil", ["-N", ...where(), "--empty-password"]);
    for (const [id, trust] of [
      ["root-g1", "CT,C,C"],
      ["issuing-g1", ",,"],
    ] as const) {
      const file = party.file(`${id}.pem`);
      await ask("certutil", ["-A", ...where(), "-n", id, "-t", trust, "-a", "-i", file]);
    }
  });

  it("O12 ocspclnt hears of good and revoked", async () => {
    expect(await heard(good)).toMatch(/^Check of certificate ".*" succeeded\.\s*$/);
    expect(await heard(revoked)).toContain("Peer's Certificate has been revoked.");
  });

  it.for(["ocsp", "crl"])("vfychain accepts and refuses, with %s and nothing else", async (by) => {
    for (const id of ["root-g1", "issuing-g1"]) {
      const list = party.write(`${id}.crl`, await service.published(`crl/${id}.crl`));
      expect(await ask("crlutil", ["-I", ...where(), "-i", list, "-t", "1"])).toMatchObject({
        code: 0,
      });
    }
    expect(await verdict(good, by)).toEqual({ code: 0, text: "Chain is good!\n" });
    const { code, text } = await verdict(revoked, by);
    expect(code).toBe(1);
    expect(text).toContain("ERROR -8180: Peer's Certificate has been revoked.");
  });
});
