import { rmSync } from "node:fs";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { runSuido } from "../../src/cli/instance.ts";
import { mustRun } from "../support/openssl-ca.ts";
import { RelyingParty } from "../support/relying-party.ts";
import { eventually, type Issued, Service, type World } from "../support/service.ts";

let service: Service;
let world: World;
let party: RelyingParty;

beforeAll(async () => {
  service = await Service.open();
  world = await service.world();
  party = await RelyingParty.open(service);
});

afterAll(async () => {
  party.dispose();
  await service.dispose();
});

const folder = (name: string): string => path.join(service.dataDir, name);

/** A copy with owners and times, as a backup program makes it. */
function copy(from: string, to: string): void {
  rmSync(folder(to), { recursive: true, force: true });
  mustRun("cp", ["-a", folder(from), folder(to)]);
}

const ready = (): Promise<unknown> =>
  eventually(
    () => service.readiness(),
    ({ status }) => status === 200,
  );

describe.for([
  { name: "with the VA's own copy at hand", forgets: [] },
  { name: "with the VA's folder lost too", forgets: ["va"] },
] as const)("a database restored to before a revocation, $name", ({ forgets }) => {
  it("is recognised; what was revoked, held and issued since is so again, and issuing goes on", async () => {
    const revoked = await service.issue(world);
    const held = await service.issue(world);
    const untouched = await service.issue(world);
    await service.stop();
    copy("postgres", "backup");

    await service.start();
    await service.revoke(revoked.serialNumber, "keyCompromise");
    await service.revoke(held.serialNumber, "certificateHold");
    const issuedSince = await service.issue(world);
    await service.stop();
    copy("backup", "postgres");
    for (const name of forgets) rmSync(folder(name), { recursive: true });

    await service.start();
    expect(service.instance.output.join("\n")).toContain("the database was older than the journal");
    await ready();
    expect(await service.status(revoked.serialNumber)).toMatchObject({
      status: "revoked",
      reason: "keyCompromise",
    });
    expect(await service.status(held.serialNumber)).toMatchObject({ status: "hold" });
    expect(await service.status(untouched.serialNumber)).toMatchObject({ status: "good" });
    expect(await service.status(issuedSince.serialNumber)).toMatchObject({
      status: "good",
      certificate: issuedSince.certificate,
      deviceId: world.deviceId,
    });
    const heard = async (issued: Issued): Promise<string> => party.ocsp(issued);
    expect(await heard(revoked)).toBe("revoked");
    expect(await heard(held)).toBe("revoked");
    expect(await heard(untouched)).toBe("good");
    expect(await heard(issuedSince)).toBe("good");

    const next = await service.issue(world);
    expect(await heard(next)).toBe("good");
    await service.command("crl", "publish");
    expect((await party.verify(revoked)).text).toContain("certificate revoked");
    expect((await party.verify(next)).code).toBe(0);
    await service.checkInvariants();
  });
});

describe("a journal that is gone beside a database that is not empty", () => {
  it("stops issuing but not the status, says why, and two people begin a new one", async () => {
    const before = await service.issue(world);
    const revoked = await service.issue(world);
    await service.revoke(revoked.serialNumber);
    await service.stop();
    rmSync(folder("journal"), { recursive: true });

    await service.start();
    const { body, status } = (await service.readiness()) as { body: unknown; status: number };
    expect({ status, body }).toMatchObject({
      status: 503,
      body: {
        ready: false,
        roles: { signer: { ready: false, detail: expect.stringMatching(/journal/) as string } },
      },
    });
    expect(await service.status(before.serialNumber)).toMatchObject({ status: "good" });
    expect(await party.ocsp(before)).toBe("good");
    expect(await party.ocsp(revoked)).toBe("revoked");
    const { accountId, deviceId } = world;
    const call = { body: { accountId, deviceId, bundle: "modern" } };
    const refused = await service.call("POST", "/v1/certificates", call);
    expect(refused.status).toBe(503);
    expect(refused.body).toMatchObject({ type: "/problems/quarantine" });
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);

    // Not while it runs, and not by one person.
    const adopt = (...by: string[]): ReturnType<typeof runSuido> =>
      runSuido(["journal", "adopt", "--by", by.join(","), "--json"], service.env);
    expect(await adopt("佐藤", "鈴木")).toMatchObject({ code: 1 });
    await service.stop();
    expect(await adopt("佐藤", "佐藤")).toMatchObject({ code: 2 });
    expect(await adopt("佐藤", "鈴木")).toMatchObject({ code: 0 });

    await service.start();
    await ready();
    const next = await service.issue(world);
    expect(await party.ocsp(next)).toBe("good");
    expect(await service.status(revoked.serialNumber)).toMatchObject({ status: "revoked" });
    await service.checkInvariants();
  });
});
