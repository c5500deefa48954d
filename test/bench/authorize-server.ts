import { hash, randomUUID } from "node:crypto";

import Fastify from "fastify";
import { pino } from "pino";

import { createSystem } from "../../src/cli/system.ts";
import { serialBytes, type Serial } from "../../src/pki/serial.ts";
import { AuthorizationIndex } from "../../src/va/authorization-index.ts";
import { AuthorizeCounts } from "../../src/va/authorize-counts.ts";
import { createAuthorizer } from "../../src/va/authorizer.ts";
import { latin1 } from "../../src/va/latin1.ts";
import { NO_PROXIES } from "../../src/va/proxy-tables.ts";
import { VaServer } from "../support/va-server.ts";
import { appWith } from "../unit/http/app.ts";

/**
 * One server of the benchmark of `/v1/authorize` in a process of its own: `authorize` is the app listener over as many
 * certificates as its argument says, `empty` a bare Fastify route that returns the bytes of one of its answers. Prints a
 * line of JSON when it listens.
 */
const [kind = "authorize", count = "1000", samples = "1000"] = process.argv.slice(2);

const KEY = `suido_prx_${"k".repeat(43)}`;
/** Of a corporation, and devices of a pharmacy. */
const PHARMACIES = 20;
const DEVICES = 6;

const va = new VaServer();
const { clock, verify } = createSystem();
const index = new AuthorizationIndex();
const certificates: string[] = [];

function times(size: number): string[] {
  return Array.from({ length: size }, () => randomUUID());
}

/** A certificate's status, and a device of its own behind it. */
function add(
  serial: Serial,
  [corporationId = "", pharmacyId = "", accountId = ""]: string[],
): void {
  va.set(serial);
  index.set({
    serial: serialBytes(serial),
    isOpen: true,
    deviceId: randomUUID(),
    accountId,
    pharmacyId,
    corporationId,
    epoch: 1,
    isPersonal: false,
    isRetired: false,
    isDisabled: false,
    memberFrom: 0,
    memberTo: 0,
    isMemberLater: false,
  });
}

index.beginLoad();
let place = times(3);
for (let n = 0; n < Number(count); n++) {
  if (n % (PHARMACIES * DEVICES) === 0) place = times(3);
  else if (n % DEVICES === 0) place = [place[0] ?? "", ...times(2)];
  if (n < Number(samples)) {
    const { der, serial } = va.ca.device();
    certificates.push(Buffer.from(der).toString("base64"));
    add(serial, place);
  } else add(va.fresh(), place);
}
index.endLoad();

const party = {
  id: randomUUID(),
  name: "bench",
  product: "bench",
  defaultStage: "enforce",
  asksPerRequest: true,
} as const;
const keys = new Map([[latin1(hash("sha256", KEY, "buffer")), { id: randomUUID(), party }]]);
const nothing = (): void => undefined;
const authorizer = createAuthorizer({
  status: { index: va.index, known: () => Date.now(), lookUp: () => Promise.resolve("done") },
  facts: { index, known: () => Date.now(), lookUp: () => Promise.resolve("done") },
  proxies: {
    issuers: () => [va.ca.rootIssuer, va.ca.issuingIssuer],
    known: () => Date.now(),
    refresh: () => Promise.resolve(),
    tables: () => ({ ...NO_PROXIES, keys }),
  },
  uses: { noteRefusal: nothing, noteSeen: nothing, noteUse: nothing },
  counts: new AuthorizeCounts(),
  verify,
  clock,
  maxStaleMs: 86_400_000,
  close: () => Promise.resolve(),
});
const log = pino({ level: "info" }, pino.destination("/dev/null"));
const { app } = await appWith({ authorizer, clock, log });
let url = await app.listen({ host: "127.0.0.1", port: 0 });

if (kind === "empty") {
  const asked = await fetch(`${url}/v1/authorize`, {
    headers: { authorization: `Bearer ${KEY}`, "x-ssl-client-der": certificates[0] ?? "" },
  });
  const body = Buffer.from(await asked.arrayBuffer());
  const bare = Fastify();
  bare.get("/*", (_request, reply) => reply.type("application/json").send(body));
  url = await bare.listen({ host: "127.0.0.1", port: 0 });
}
const octets = index.octets / index.size;
process.stdout.write(`${JSON.stringify({ url, key: KEY, certificates, octets })}\n`);
