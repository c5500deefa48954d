import { afterAll, beforeAll, expect, it } from "vitest";

import { RelyingParty } from "../support/relying-party.ts";
import { eventually, Service } from "../support/service.ts";

let service: Service;

beforeAll(async () => {
  service = await Service.open();
});
afterAll(() => service.dispose());

it("logs lines in which no member stands twice, and names a request once", async () => {
  expect(await service.call("GET", "/v1/corporations")).toMatchObject({ status: 200 });
  const lines = await eventually(
    async () => service.instance.output.filter((line) => line.startsWith("{")),
    (said) => said.some((line) => line.includes('"msg":"answered"')),
  );
  // Of a member that stands twice, parsing keeps one.
  expect(lines.map((line) => JSON.stringify(JSON.parse(line)))).toEqual(lines);
  for (const words of ["migration applied", "embedded PostgreSQL started", "answered"])
    expect(lines.join("\n")).toContain(`"msg":"${words}"`);
  const answered = lines.filter((line) => line.includes('"msg":"answered"')).join("\n");
  expect(answered).toContain('"reqId":');
  expect(answered).not.toContain('"requestId":');
});

it("knows nothing of another one beside it", async () => {
  const other = await Service.open();
  try {
    const issued = await service.issue(await service.world());
    const route = `/v1/certificates/${issued.serialNumber}`;
    expect(await service.call("GET", route)).toMatchObject({ status: 200 });
    expect(await other.call("GET", route)).toMatchObject({ status: 404 });
    expect(await other.call("GET", route, { key: service.key })).toMatchObject({ status: 401 });
    const strangers = await RelyingParty.open(other);
    try {
      expect((await strangers.verify(issued)).code).not.toBe(0);
    } finally {
      strangers.dispose();
    }
  } finally {
    await other.dispose();
  }
});

it("issues, answers for it after a clean stop and a second start, and stops cleanly again", async () => {
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
