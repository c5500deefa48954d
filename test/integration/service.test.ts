import { afterEach, expect, it } from "vitest";

import { RelyingParty } from "../support/relying-party.ts";
import { Service } from "../support/service.ts";

const open: Service[] = [];

afterEach(async () => {
  for (const service of open.splice(0)) await service.dispose();
});

async function start(): Promise<Service> {
  const service = await Service.open();
  open.push(service);
  return service;
}

it("issues, answers for it after a clean stop and a second start, and stops cleanly again", async () => {
  const service = await start();
  const world = await service.world();
  const issued = await service.issue(world);
  expect(await service.must("GET", `/v1/status/${issued.serialNumber}`)).toMatchObject({
    status: "good",
    device: { id: world.deviceId },
    account: { id: world.accountId },
  });
  expect(await service.stop()).toBe(0);
  const tookMs = await service.start();
  expect(tookMs).toBeLessThan(15_000);
  expect(await service.status(issued.serialNumber)).toMatchObject({
    status: "good",
    certificate: issued.certificate,
  });
  const party = await RelyingParty.open(service);
  try {
    expect(await party.ocsp(issued)).toBe("good");
  } finally {
    party.dispose();
  }
  expect(await service.stop()).toBe(0);
});

it("logs lines in which no member stands twice, and names a request once", async () => {
  const service = await start();
  expect(await service.call("GET", "/v1/corporations")).toMatchObject({ status: 200 });
  const { output } = service.instance;
  expect(await service.stop()).toBe(0);
  const lines = output.filter((line) => line.startsWith("{"));
  // Of a member that stands twice, parsing keeps one.
  expect(lines.map((line) => JSON.stringify(JSON.parse(line)))).toEqual(lines);
  for (const words of ["migration applied", "embedded PostgreSQL started", "answered"])
    expect(lines.join("\n")).toContain(`"msg":"${words}"`);
  const answered = lines.filter((line) => line.includes('"msg":"answered"')).join("\n");
  expect(answered).toContain('"reqId":');
  expect(answered).not.toContain('"requestId":');
});

it("two side by side know nothing of each other", async () => {
  const [one, other] = [await start(), await start()];
  const issued = await one.issue(await one.world());
  const route = `/v1/certificates/${issued.serialNumber}`;
  expect(await one.call("GET", route)).toMatchObject({ status: 200 });
  expect(await other.call("GET", route)).toMatchObject({ status: 404 });
  expect(await other.call("GET", route, { key: one.key })).toMatchObject({ status: 401 });
  const strangers = await RelyingParty.open(other);
  try {
    expect((await strangers.verify(issued)).code).not.toBe(0);
  } finally {
    strangers.dispose();
  }
});
