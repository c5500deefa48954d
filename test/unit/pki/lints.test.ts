import { expect, it } from "vitest";
import type { TbsRequest } from "../../../src/pki/certificate.ts";
import { buildTbs } from "../../../src/pki/certificate.ts";
import { parseTbs } from "../../../src/pki/certificate-view.ts";
import { runLints } from "../../../src/pki/lint.ts";
import { CERTIFICATE_LINTS } from "../../../src/pki/lints.ts";
import { encodeName } from "../../../src/pki/name.ts";
import {
  createIssuing,
  createRoot,
  deviceRequest,
  digest,
  ecKey,
  profiles,
  responderRequest,
  rsaKey,
  serverRequest,
} from "../../support/certificates.ts";
import { BREAKAGES } from "../../support/breakages.ts";
import { decode, encode } from "../../support/der-edit.ts";

const root = createRoot();
const issuing = createIssuing(root);

const issuingRequest: TbsRequest = {
  ...responderRequest(root, profiles.issuing),
  subject: issuing.facts.subject,
};

const REQUESTS: Record<string, TbsRequest> = {
  root: {
    ...responderRequest(root, profiles.root),
    subject: root.facts.subject,
    spki: root.key.spki,
  },
  issuing: issuingRequest,
  "root-ocsp": responderRequest(root, profiles.rootOcsp),
  ocsp: responderRequest(issuing, profiles.ocsp),
  server: serverRequest(issuing),
  "device-client": deviceRequest(issuing),
  "device-client with RSA-2048": deviceRequest(issuing, rsaKey(2048).spki),
  "device-client with P-384": deviceRequest(issuing, ecKey("P-384").spki),
  "device-client without a subject": { ...deviceRequest(issuing), subject: encodeName([]) },
  "device-client up to 2050": {
    ...deviceRequest({
      ...issuing,
      facts: { ...issuing.facts, notAfter: new Date("2060-01-01T00:00:00Z") },
    }),
    notAfter: new Date("2050-01-01T00:00:00Z"),
  },
};

/** The names of the lints that find something in these bytes. */
function findings(tbs: Uint8Array, promised: TbsRequest): string[] {
  return runLints(CERTIFICATE_LINTS, parseTbs(tbs), { ...promised, digest }).map(
    ({ lint }) => lint,
  );
}

it.for(Object.keys(REQUESTS))("finds nothing in %s", (name) => {
  const request = REQUESTS[name];
  expect(request).toBeDefined();
  expect(request && findings(buildTbs(request, digest), request)).toEqual([]);
});

it.for(BREAKAGES.map((one) => ({ of: "device-client", ...one })))(
  "$lint finds: $how",
  ({ lint, of, edit }) => {
    const request = REQUESTS[of] ?? deviceRequest(issuing);
    const tbs = decode(buildTbs(request, digest));
    edit(tbs);
    expect(findings(encode(tbs), request)).toContain(lint);
  },
);

it("has a case for every lint, each of a name of its own with its source", () => {
  const all = CERTIFICATE_LINTS.map(({ name }) => name);
  expect(new Set(all).size).toBe(all.length);
  expect([...new Set(BREAKAGES.map(({ lint }) => lint))].toSorted()).toEqual(all.toSorted());
  expect(CERTIFICATE_LINTS.filter(({ cites }) => cites === "")).toEqual([]);
});
