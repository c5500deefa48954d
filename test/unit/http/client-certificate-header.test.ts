import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { clientCertificateOf } from "../../../src/http/client-certificate-header.ts";
import { HttpError } from "../../../src/http/errors.ts";
import { pemEncode } from "../../../src/pki/pem.ts";

const pemOf = (der: Uint8Array): string => pemEncode("CERTIFICATE", der);
const base64 = (der: Uint8Array): string => Buffer.from(der).toString("base64");
/** As nginx and Envoy do: all but unreserved characters. */
const escaped = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);

/** What each proxy makes of a certificate. */
const SPELLINGS: readonly {
  readonly proxy: string;
  readonly field: string;
  readonly spell: (der: Uint8Array) => string;
}[] = [
  { proxy: "nginx", field: "X-SSL-Client-Cert", spell: (der) => escaped(pemOf(der)) },
  {
    proxy: "Apache httpd",
    field: "X-SSL-Client-Cert",
    spell: (der) => pemOf(der).replaceAll("\n", " "),
  },
  {
    proxy: "Caddy with PEM",
    field: "X-SSL-Client-Cert",
    spell: (der) => pemOf(der).replaceAll("\n", ""),
  },
  { proxy: "HAProxy and Caddy", field: "X-SSL-Client-DER", spell: base64 },
  { proxy: "Traefik 3", field: "X-Forwarded-Tls-Client-Cert", spell: base64 },
  {
    proxy: "Traefik 2",
    field: "X-Forwarded-Tls-Client-Cert",
    spell: (der) => encodeURIComponent(base64(der)),
  },
  {
    proxy: "Traefik with a chain",
    field: "X-Forwarded-Tls-Client-Cert",
    spell: (der) => `${base64(der)},MAA=,MAA=`,
  },
  {
    proxy: "Envoy",
    field: "X-Forwarded-Client-Cert",
    spell: (der) =>
      `By=spiffe://a/b;Hash=00ff;Subject="CN=\\"a, b; c\\",O=x";URI=;DNS=a;cert="${escaped(pemOf(der))}"`,
  },
  {
    proxy: "Envoy behind another",
    field: "X-Forwarded-Client-Cert",
    spell: (der) => `Hash=aa;URI=b, Hash=bb;Cert="${escaped(pemOf(der))}";Chain="x"`,
  },
  { proxy: "RFC 9440", field: "Client-Cert", spell: (der) => `:${base64(der)}:` },
];

/** A certificate, none, or what was thrown. */
function outcomeOf(rawHeaders: readonly string[]): unknown {
  try {
    return clientCertificateOf(rawHeaders);
  } catch (error) {
    return error;
  }
}

function refusalOf(rawHeaders: readonly string[]): HttpError {
  const refusal = outcomeOf(rawHeaders);
  if (!(refusal instanceof HttpError)) throw new Error("nothing was refused");
  return refusal;
}

describe.for(SPELLINGS)("$proxy", ({ field, spell }) => {
  it("hands on any certificate", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 3_000 }), (der) => {
        const read = clientCertificateOf(["Host", "a", field.toUpperCase(), ` ${spell(der)} `]);
        expect(Buffer.from(read ?? []).equals(der)).toBe(true);
      }),
    );
  });

  it("is refused when the field comes twice, even with nothing in it", () => {
    const value = spell(Uint8Array.of(48, 0));
    for (const second of [value, ""]) {
      const { code, faults } = refusalOf([field, value, "Host", "a", field.toLowerCase(), second]);
      expect(code).toBe("invalid-request");
      expect(faults).toEqual([{ field, detail: "must come once only" }]);
    }
  });

  it("is refused when it is cut off", () => {
    const cut = spell(new Uint8Array(256).fill(0xfb)).slice(0, 150);
    expect(refusalOf([field, cut]).faults.map((fault) => fault.field)).toEqual([field]);
  });
});

it.for([
  { field: "X-SSL-Client-Cert", value: "" },
  { field: "X-SSL-Client-Cert", value: "(null)" },
  { field: "X-SSL-Client-DER", value: "" },
  { field: "X-Forwarded-Tls-Client-Cert", value: "" },
  { field: "X-Forwarded-Client-Cert", value: "" },
  { field: "Client-Cert", value: "" },
  { field: "Client-Cert", value: "::" },
])("$field: $value is no certificate", ({ field, value }) => {
  expect(clientCertificateOf([field, value])).toBeUndefined();
});

it("finds none where there is no such field, or one that only looks like it", () => {
  expect(clientCertificateOf([])).toBeUndefined();
  expect(clientCertificateOf(["X_SSL_Client_Cert", "MAA=", "X-SSL-Client-Cert-2", "a"])).toBe(
    undefined,
  );
});

it("names both of two kinds, even when one of them is empty", () => {
  const { faults } = refusalOf(["X-SSL-Client-Cert", "", "Client-Cert", ":MAA=:"]);
  expect(faults.map(({ field }) => field)).toEqual(["X-SSL-Client-Cert", "Client-Cert"]);
});

it("takes a chain beside Client-Cert only, and does not read it", () => {
  const chain = ["Client-Cert-Chain", ":whatever"];
  expect(clientCertificateOf([...chain, "Client-Cert", ":MAA=:", ...chain])).toEqual(
    Buffer.from([48, 0]),
  );
  for (const others of [[], ["X-SSL-Client-DER", "MAA="]]) {
    const { faults } = refusalOf([...chain, ...others]);
    expect(faults.map(({ field }) => field)).toEqual(["Client-Cert-Chain"]);
  }
});

const pem = pemOf(Uint8Array.of(48, 0));

it.for([
  { field: "X-SSL-Client-Cert", value: `${pem}${pem}`, says: "more than one" },
  { field: "X-SSL-Client-Cert", value: `${pem} ${pem}`.replaceAll("\n", " "), says: "more than" },
  { field: "X-SSL-Client-Cert", value: "-----BEGIN CERTIFICATE-----", says: "no certificate" },
  { field: "X-SSL-Client-Cert", value: "SUCCESS", says: "no certificate" },
  { field: "X-SSL-Client-Cert", value: "%E0%A4%A", says: "percent-encoded" },
  { field: "X-SSL-Client-Cert", value: "%00", says: "no certificate" },
  { field: "X-SSL-Client-DER", value: "MAA", says: "no base64" },
  { field: "X-SSL-Client-DER", value: "MA-_", says: "no base64" },
  { field: "X-SSL-Client-DER", value: "MAA= MAA=", says: "no base64" },
  { field: "X-SSL-Client-DER", value: "A".repeat(11_000), says: "octets" },
  { field: "X-SSL-Client-DER", value: "A".repeat(12_292), says: "characters" },
  { field: "X-Forwarded-Tls-Client-Cert", value: ",MAA=", says: "no base64" },
  { field: "Client-Cert", value: "MAA=", says: "byte sequence" },
  { field: "Client-Cert", value: ":MAA=:;a=1", says: "byte sequence" },
  { field: "Client-Cert", value: ":", says: "byte sequence" },
  { field: "X-Forwarded-Client-Cert", value: "Hash=aa;URI=b", says: "no Cert" },
  { field: "X-Forwarded-Client-Cert", value: 'Cert="a";Cert="b"', says: "more than one Cert" },
  { field: "X-Forwarded-Client-Cert", value: 'Cert="a",Cert="b"', says: "more than one Cert" },
  { field: "X-Forwarded-Client-Cert", value: 'Cert="a', says: "as Envoy writes" },
  { field: "X-Forwarded-Client-Cert", value: 'Cert="a",', says: "as Envoy writes" },
  { field: "X-Forwarded-Client-Cert", value: "Cert", says: "as Envoy writes" },
  { field: "X-Forwarded-Client-Cert", value: 'Cert=""', says: "no certificate" },
])("refuses $field: $value", ({ field, value, says }) => {
  const refusal = refusalOf([field, value]);
  expect(refusal.faults.map((fault) => fault.field)).toEqual([field]);
  expect(refusal.message).toContain(says);
});

it("takes whatever comes, with a certificate, without, or with a refusal that names a field", () => {
  const names = [...SPELLINGS.map(({ field }) => field), "Client-Cert-Chain"];
  const text = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.stringMatching(/^[A-Za-z0-9+/=%:;,"\\ -]{0,80}$/),
    fc.constantFrom('Cert="', "%", ":", "-----BEGIN CERTIFICATE-----", ",", ";"),
  );
  const value = fc.array(text, { maxLength: 4 }).map((parts) => parts.join(""));
  const field = fc.tuple(fc.constantFrom(...names), value);
  fc.assert(
    fc.property(fc.array(field, { maxLength: 3 }), (fields) => {
      const outcome = outcomeOf(fields.flat());
      const isNamed = outcome instanceof HttpError && outcome.faults.length > 0;
      expect(outcome === undefined || outcome instanceof Uint8Array || isNamed).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});
