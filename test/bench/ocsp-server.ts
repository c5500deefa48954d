import { randomBytes } from "node:crypto";

import Fastify from "fastify";

import { newSerial } from "../../src/pki/serial.ts";
import { octetsOf } from "../../src/va/responder.ts";
import { base64, VaServer } from "../support/va-server.ts";

/**
 * One server of the OCSP benchmark in a process of its own. `va` holds as many certificates as its argument says; `empty`
 * is a bare Fastify route that returns the bytes of one answer. Prints a line of JSON when it listens.
 */
const [kind = "va", count = "1000", samples = "1000"] = process.argv.slice(2);

const va = new VaServer();
await va.open();
const serials = [];
const every = Math.max(1, Math.floor(Number(count) / Number(samples)));
for (let n = 0; n < Number(count); n++) {
  const serial = va.set(newSerial(randomBytes));
  if (n % every === 0) serials.push(serial);
}
const requests = serials.map((serial) => base64(va.ca.request(serial)));
const request = Buffer.from(requests[0] ?? "", "base64");
const body = octetsOf(await va.responder.answer(request));
let { url } = va;
if (kind === "empty") {
  const app = Fastify();
  app.get("/*", (_request, reply) => reply.type("application/ocsp-response").send(body));
  url = await app.listen({ host: "127.0.0.1", port: 0 });
}
process.stdout.write(`${JSON.stringify({ url, requests, answer: base64(body) })}\n`);
